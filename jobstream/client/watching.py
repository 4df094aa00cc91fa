"""A watch as a talk: one job followed to the end of its run, whatever happens to the connections in between."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jobstream.client.errors import JobFailed, NotUnderstood
from jobstream.client.exchange import Exchange, Standing
from jobstream.client.held import Held
from jobstream.client.job import Job
from jobstream.client.listener import NOBODY, Listener
from jobstream.client.pace import PACE, Pace
from jobstream.client.patience import Patience
from jobstream.client.polling import Polling, Renewing
from jobstream.client.streaming import Streaming
from jobstream.client.talk import Pause, Request
from jobstream.client.way import Way


def result_of(job: Job | None) -> Any:
    """The result of a job that was watched to its end; JobFailed if it has none."""
    if job is None or job.state != "completed":
        raise JobFailed(job) if job else NotUnderstood("The service has nothing to tell of the job.")
    return job.result


class Watch:
    """The job after each update, until its run has ended.

    It begins with what a `Job` holds, or with a snapshot; a held job that has ended is told once, as it is. One
    request follows the other: a stream from the last cursor; where streams don't get through a poll; and a fresh
    token when the service says that the old one ends."""

    def __init__(
        self,
        job: Job | str,
        *,
        timeout: float | None = None,
        listener: Listener = NOBODY,
        pace: Pace = PACE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._standing = Standing(
            job_id=job if isinstance(job, str) else job.id,
            held=Held({} if isinstance(job, str) else dict(job.snapshot)),
            way=Way(pace, clock),
            patience=Patience(timeout, pace, clock, listener),
            listener=listener,
        )
        self._exchange: Exchange = Streaming(self._standing)
        self._tells = False

    @property
    def enough(self) -> bool:
        return self._exchange.enough

    def next_act(self) -> Request | Pause | None:
        standing = self._standing
        if self._is_over:
            return None
        left = standing.patience.check()
        if pause := standing.patience.take_pause():
            return Pause(pause if left is None else min(pause, left))
        self._exchange = self._next_exchange()
        return self._exchange.request(left)

    def opened(self, status: int, headers: Mapping[str, str]) -> None:
        self._exchange.opened(status, headers)

    def take(self, chunk: bytes) -> Iterator[Job]:
        return self._told(self._exchange.take(chunk))

    def closed(self) -> Iterator[Job]:
        yield from self._told(self._exchange.closed())
        held = self._standing.held
        if self._is_over and not self._tells and held.cursor:
            yield held.job  # nothing followed

    def broke(self, error: Exception) -> None:
        self._exchange.broke(error)

    def _told(self, states: Iterator[Job]) -> Iterator[Job]:
        for state in states:
            self._tells = True
            yield state

    @property
    def _is_over(self) -> bool:
        return self._standing.over or self._standing.held.ended

    def _next_exchange(self) -> Exchange:
        if self._standing.renews:
            return Renewing(self._standing)
        if self._standing.way.streams:
            return Streaming(self._standing)
        return Polling(self._standing)
