"""Jobstream: the worker of the product with a kind that does nothing; each job is written down, leased and ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import uvloop
from arq.worker import func
from pydantic import BaseModel

from bench.engine.contenders.program import Begin, Store, Submit, main
from jobs import keys
from jobs.connection import Client, connect
from jobs.cron import Cron
from jobs.enqueuing import ARQ_FUNCTION
from jobs.events import Events
from jobs.kind import Kind, Run
from jobs.leases import Leases
from jobs.log import Log
from jobs.logs import configure_logs
from jobs.queue import Queue, Submission
from workers.run import Tools
from workers.runner import Runner
from workers.worker import JobWorker

SLOTS = 50
LEASE_SECONDS = 6.0


class Sent(BaseModel):
    """The input of a job that does nothing: when it was submitted."""

    sent: float


class Ours:
    """One kind, one store."""

    def __init__(self, store: Store) -> None:
        self._url = store.url
        self._begin: Begin = lambda _: None
        self._kind = Kind("begin", Sent, self._perform, "does nothing")
        self._client: Client | None = None

    @asynccontextmanager
    async def submitting(self) -> AsyncIterator[Submit]:
        async with connect(self._url) as client:
            queue = Queue(client)
            yield lambda sent, delay: queue.submit(Submission(kind=self._kind, input={"sent": sent}, delay=delay))

    @asynccontextmanager
    async def working(self, begin: Begin) -> AsyncIterator[None]:
        self._begin = begin
        configure_logs()
        async with connect(self._url) as self._client:
            worker = self._worker({self._kind.name: self._kind})
            working = asyncio.create_task(worker.main())
            try:
                yield
            finally:
                worker.stop()
                await asyncio.wait([working])

    async def unfinished(self) -> int:
        assert self._client
        return int(await self._client.zcard(keys.QUEUE))

    async def _perform(self, _: Run, given: Sent) -> None:
        self._begin(given.sent)

    def _worker(self, kinds: dict[str, Kind[Any]]) -> JobWorker:
        async def never_called(_: dict[str, Any], job_id: str) -> None:
            """arq wants a function; our worker runs the job by its record."""

        @asynccontextmanager
        async def open_url() -> AsyncIterator[str]:
            yield self._url

        @asynccontextmanager
        async def open_runner(client: Client) -> AsyncIterator[Runner]:
            tools = Tools(Log(client), Queue(client), kinds, {}, lambda *_: None)
            yield Runner(kinds, tools, Leases(client, lease_seconds=LEASE_SECONDS))

        return JobWorker(
            [func(never_called, name=ARQ_FUNCTION)],
            queue_name=keys.QUEUE,
            handle_signals=False,
            max_jobs=SLOTS,
            ctx={
                "open_url": open_url,
                "open_runner": open_runner,
                "cron": partial(Cron, schedules=[]),
                "events": partial(Events, kinds=kinds),
                "lease_seconds": LEASE_SECONDS,
            },
        )


if __name__ == "__main__":
    main(Ours, uvloop.new_event_loop)
