"""What a client holds of a job, with an account of all that it was given."""

import time
from dataclasses import dataclass, field

from jobs.model import JsonObject
from tests.transports.reference import held_after, told
from tests.transports.subjects import TERMINAL


@dataclass
class Holding:
    """One job as one client knows it, and which updates it was given, in their order."""

    job_id: str
    held: JsonObject = field(default_factory=dict)
    seqs: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    """Why it was given each snapshot."""

    heard_at: list[float] = field(default_factory=list)
    """When it was given each of the seqs, by the clock of this process."""

    @property
    def seq(self) -> int:
        return self.seqs[-1] if self.seqs else 0

    @property
    def cursor(self) -> str | None:
        return self.held.get("cursor")

    @property
    def ended(self) -> bool:
        return self.held.get("state") in TERMINAL

    def take(self, cursor: str, event: str, data: JsonObject) -> None:
        """Fold one update; one that does not follow what is held is an error."""
        if event == "snapshot":
            self.reasons.append(data["reason"])
        self.held = held_after(self.held, cursor, event, data)
        self._note(self.held["seq"])

    def replace(self, snapshot: JsonObject) -> None:
        """Hold the snapshot instead; one that is older than what is held, or takes text back, is an error."""
        assert snapshot["seq"] >= self.seq
        for name, part in self.held.get("parts", {}).items():
            now = snapshot["parts"][name]
            assert now["attempt"] > part["attempt"] or now["text"].startswith(part["text"])
        self.held = told(snapshot)
        self._note(snapshot["seq"])

    def _note(self, seq: int) -> None:
        self.seqs.append(seq)
        self.heard_at.append(time.monotonic())
