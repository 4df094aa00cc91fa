"""Jobstream: each job is written down, leased, said to be running, ended and logged, as any of the product's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop
from pydantic import BaseModel

from bench.engine.contenders.program import Begin, Store, Submit, main
from bench.engine.product import working
from jobs import keys
from jobs.connection import connect
from jobs.kind import Kind, Run
from jobs.queue import Queue, Submission


class Sent(BaseModel):
    """The input of a job that does nothing: when it was submitted."""

    sent: float


class Ours:
    """A worker of one kind."""

    def __init__(self, store: Store) -> None:
        self._url = store.url
        self._begin: Begin = lambda _: None
        self._kind = Kind("begin", Sent, self._perform, "Does nothing.")

    @asynccontextmanager
    async def submitting(self) -> AsyncIterator[Submit]:
        async with connect(self._url) as client:
            queue = Queue(client)
            yield lambda sent, delay: queue.submit(Submission(kind=self._kind, input={"sent": sent}, delay=delay))

    @asynccontextmanager
    async def working(self, begin: Begin) -> AsyncIterator[None]:
        self._begin = begin
        async with working(self._url, self._kind):
            yield

    async def unfinished(self) -> int:
        async with connect(self._url, most=1) as client:
            return int(await client.zcard(keys.QUEUE))

    async def _perform(self, _: Run, given: Sent) -> None:
        self._begin(given.sent)


if __name__ == "__main__":
    main(Ours, loop=uvloop.new_event_loop)
