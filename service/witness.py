"""Who watches the service: told what happens, in the words of what happens. A witness neither waits nor fails."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Protocol, cast

from jobs.errors import JobError
from jobs.updates import Entry

Transport = Literal["sse", "multiplexed", "websocket", "dialect", "long-poll"]

Beginning = Literal["initial", "resumed", "gap", "slow", "ended"]
"""How a stream began: with the whole job, for one of three reasons; with what follows the client's cursor; or not at
all, since nothing can follow it."""


class Witness(Protocol):
    """What is told of requests and streams, by those who know it first."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """The head of an answer has left, so long after its request came."""

    def refused(self, code: str) -> None:
        """A client was refused something."""

    def opened(self, transport: Transport) -> None:
        """Somebody listens."""

    def closed(self, transport: Transport) -> None:
        """One who listened is gone."""

    def began(self, how: Beginning) -> None:
        """A stream of one job began."""

    def delivered(self, newest: Entry) -> None:
        """All up to that update was written to whoever was waiting for it."""


class Unwatched:
    """Nobody."""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None: ...

    def refused(self, code: str) -> None: ...

    def opened(self, transport: Transport) -> None: ...

    def closed(self, transport: Transport) -> None: ...

    def began(self, how: Beginning) -> None: ...

    def delivered(self, newest: Entry) -> None: ...


@contextmanager
def listening(witness: Witness, transport: Transport) -> Iterator[None]:
    """Somebody listens while the block runs."""
    witness.opened(transport)
    try:
        yield
    finally:
        witness.closed(transport)


def witness_of(scope: Mapping[str, Any]) -> Witness:
    """Who watches the application of this request."""
    return cast(Witness, scope["app"].state.api.witness)


def refused(scope: Mapping[str, Any], error: JobError) -> None:
    """Have a refusal of this request counted."""
    witness_of(scope).refused(error.code)
