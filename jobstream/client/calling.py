"""A call as a talk: one request, sent again while that may help and time is left."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

import httpx2

from jobstream.client.answer import Answer
from jobstream.client.call import Call
from jobstream.client.errors import TimedOut, Unreachable
from jobstream.client.pace import PACE, back_off
from jobstream.client.talk import Pause, Request

Result = TypeVar("Result")

CALL_SECONDS = 10.0
LOST = 2
"""Of a request that may be sent again a reply is taken for lost when one of so many parts of the time is over."""


class Calling(Generic[Result]):
    """What comes of a call within the time: exactly one result, or an error."""

    enough = False

    def __init__(self, call: Call[Result], *, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._call = call
        self._patience = seconds / LOST if call.repeatable else seconds
        self._clock = clock
        self._deadline = clock() + seconds + call.held_seconds
        self._answer: Answer | None = None
        self._pause_seconds = 0.0
        self._failures = 0
        self._done = False

    def next_act(self) -> Request | Pause | None:
        if self._done:
            return None
        if pause := self._pause_seconds:
            self._pause_seconds = 0.0
            return Pause(pause)
        left = max(0.001, self._deadline - self._clock())
        call = self._call
        return Request(
            call.method,
            call.path,
            read_seconds=min(left, self._patience + call.held_seconds),
            connect_seconds=min(left, self._patience),
            params=call.params,
            headers=call.headers,
            body=call.body,
        )

    def opened(self, status: int, headers: Mapping[str, str]) -> None:
        self._answer = Answer(status, headers)

    def take(self, chunk: bytes) -> Iterator[Result]:
        self._opened.take(chunk)
        yield from ()

    def closed(self) -> Iterator[Result]:
        answer = self._opened
        if answer.refused:
            again = self._call.repeatable and answer.transient
            if not (again and self._comes_back(answer.retry_after_seconds)):
                raise answer.refusal()
            return
        self._done = True
        yield answer.read(self._call.read)

    def broke(self, error: Exception) -> None:
        unsent = isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
        if (self._call.repeatable or unsent) and self._comes_back(None):
            return
        if isinstance(error, httpx2.TimeoutException) and not unsent:
            raise TimedOut("The service did not answer in time.") from error
        raise Unreachable(f"The service does not answer: {error or type(error).__name__}") from error

    @property
    def _opened(self) -> Answer:
        if self._answer is None:
            raise RuntimeError("`opened` comes first")
        return self._answer

    def _comes_back(self, asked_seconds: float | None) -> bool:
        """Whether there is time for one more try, after a pause that is taken next."""
        self._failures += 1
        pause = asked_seconds or back_off(self._failures, first=PACE.back_off, most=PACE.back_off_most)
        if self._clock() + pause >= self._deadline:
            return False
        self._pause_seconds = pause
        return True
