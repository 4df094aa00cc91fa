"""The contract between what a client decides and what it does: decisions open no connection and never wait."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True)
class Request:
    """A request to be sent. `read_seconds` is how long the answer may fall silent, `seconds` how long all of it may
    take; `token` is a credential for it alone."""

    method: str
    path: str
    read_seconds: float
    connect_seconds: float
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    token: str | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Pause:
    """A time to wait before going on."""

    seconds: float


class Talk(Protocol[Result_co]):
    """A talk with the service: it says what to do next, and is told what came of it.

    Whoever drives it asks for the next act; of a request it tells `opened`, each chunk with `take`, and then
    `closed`; or `broke` at any point. An error that a talk raises is its caller's."""

    @property
    def enough(self) -> bool:
        """Whether the rest of the present answer is not wanted."""

    def next_act(self) -> Request | Pause | None:
        """What to do next; None when all is said."""

    def opened(self, status: int, headers: Mapping[str, str]) -> None:
        """An answer begins."""

    def take(self, chunk: bytes) -> Iterator[Result_co]:
        """What the chunk of the answer's body comes to."""

    def closed(self) -> Iterator[Result_co]:
        """What the answer comes to, which is whole now."""

    def broke(self, error: Exception) -> None:
        """There was no answer, or not all of it."""
