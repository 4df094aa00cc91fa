"""Who watches a worker: told what happens, in the words of what happens. A witness neither waits nor fails."""

from collections.abc import Mapping
from typing import Protocol

from jobs.kind import Answer
from jobs.leases import Claim
from workers.outcomes import Cancelled, Done, GaveUp, HandedBack, Lost, Outcome, Suspended, TryAgain

OUTCOMES: Mapping[type[Outcome], str] = {
    Done: "completed",
    GaveUp: "failed",
    Cancelled: "cancelled",
    TryAgain: "retrying",
    Suspended: "suspended",
    HandedBack: "handed-back",
    Lost: "lost",
}
"""How an attempt ended, in the words of those who watch."""


class Witness(Protocol):
    """What is told of jobs, by those who know it first."""

    def claimed(self, claim: Claim) -> None:
        """An attempt begins, or goes on."""

    def settled(self, claim: Claim, outcome: Outcome, seconds: float) -> None:
        """It is over, after so long in this worker."""

    def stepped(self, claim: Claim, state: str) -> None:
        """A step is `completed` or `failed`; one that an earlier attempt kept is not told of again."""

    def answered(self, provider: str, answer: Answer) -> None:
        """A provider has given a complete answer."""

    def refused(self, provider: str, code: str) -> None:
        """A provider that was asked gave none."""

    def appended(self, updates: int) -> None:
        """So many updates went into a log as one act."""


class Unwatched:
    """Nobody."""

    def claimed(self, claim: Claim) -> None: ...

    def settled(self, claim: Claim, outcome: Outcome, seconds: float) -> None: ...

    def stepped(self, claim: Claim, state: str) -> None: ...

    def answered(self, provider: str, answer: Answer) -> None: ...

    def refused(self, provider: str, code: str) -> None: ...

    def appended(self, updates: int) -> None: ...
