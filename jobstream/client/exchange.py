"""The contract of one request of a watch, and what all of them share: where the watch stands, and who refuses it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jobstream.client.answer import Answer
from jobstream.client.held import Held
from jobstream.client.job import Job
from jobstream.client.listener import NOBODY, Listener
from jobstream.client.patience import Patience
from jobstream.client.talk import Request
from jobstream.client.way import Way

CONNECT_SECONDS = 10.0


@dataclass
class Standing:
    """Where a watch stands between its requests. `token` is a credential that it renewed by itself."""

    job_id: str
    held: Held
    way: Way
    patience: Patience
    listener: Listener = NOBODY
    token: str | None = None
    renews: bool = False
    over: bool = False


class Exchange(ABC):
    """One request, and what comes of it."""

    def __init__(self, standing: Standing) -> None:
        self.enough = False
        self._standing = standing
        self._answer: Answer | None = None

    @abstractmethod
    def request(self, left: float | None) -> Request:
        """What to send, where so many seconds are left."""

    @abstractmethod
    def read(self, answer: Answer) -> Iterator[Job]:
        """What an answer comes to that is no refusal, and is whole."""

    @property
    def answer(self) -> Answer:
        """The present answer, as far as it has come."""
        if self._answer is None:
            raise RuntimeError("`opened` comes first")
        return self._answer

    def opened(self, status: int, headers: Mapping[str, str]) -> None:
        """An answer begins."""
        self._answer = Answer(status, headers)

    def take(self, chunk: bytes) -> Iterator[Job]:
        """A piece of it; most say something only as a whole."""
        self.answer.take(chunk)
        yield from ()

    def closed(self) -> Iterator[Job]:
        """The whole of it."""
        if self.answer.refused:
            self.heed(self.answer)
        else:
            yield from self.read(self.answer)

    def broke(self, error: Exception) -> None:
        """There was none, or not all of it."""
        self._standing.patience.come_back(error)

    def heed(self, answer: Answer) -> None:
        """A refusal: one that passes is waited for, one that stays is the caller's."""
        if answer.status == 401 and self._standing.token:
            self._standing.token = None  # it ended before it was renewed; the client's own credential may hold
        elif answer.transient:
            self._standing.patience.come_back(answer.refusal(), asked_seconds=answer.retry_after_seconds)
        else:
            raise answer.refusal()


def bounded(seconds: float, left: float | None) -> float:
    """The seconds, or as many as are left."""
    return seconds if left is None else min(seconds, left)
