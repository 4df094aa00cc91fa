"""The product's own worker, with kinds of a benchmark instead of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from arq.worker import func

from bench.engine.contenders.program import SLOTS
from jobs import keys
from jobs.connection import Client
from jobs.conversations import Conversations
from jobs.cron import Cron
from jobs.endpoints import UNSIGNED
from jobs.enqueuing import ARQ_FUNCTION
from jobs.events import Events
from jobs.kind import AnyKind
from jobs.leases import Leases
from jobs.log import Log
from jobs.logs import configure_logs
from jobs.queue import Queue
from jobs.rejects import Rejects
from jobs.sessions import Sessions
from workers.courier import Courier
from workers.run import Tools
from workers.runner import Runner
from workers.worker import JobWorker

LEASE_SECONDS = 6.0
"""As the product has it by default."""


@asynccontextmanager
async def working(url: str, *kinds: AnyKind) -> AsyncIterator[None]:
    """A worker of these kinds for as long as the block lasts, with everything that the product's does beside."""
    configure_logs(level=logging.WARNING)  # as the peers, none of which is told to log its jobs
    worker = _worker(url, kinds)
    task = asyncio.create_task(worker.main())
    try:
        yield
    finally:
        worker.stop()
        await task


def _worker(url: str, kinds: Sequence[AnyKind]) -> JobWorker:
    known = {kind.name: kind for kind in kinds}

    async def never_called(_: dict[str, Any], job_id: str) -> None:
        """arq wants a function; our worker runs the job by its record."""

    @asynccontextmanager
    async def open_url() -> AsyncIterator[str]:
        yield url

    @asynccontextmanager
    async def open_runner(client: Client) -> AsyncIterator[Runner]:
        tools = Tools(
            Log(client),
            Queue(client),
            known,
            {},
            lambda *_: None,
            Conversations(client),
            Sessions(client),
            Rejects(client),
        )
        yield Runner(known, tools, Leases(client, lease_seconds=LEASE_SECONDS))

    return JobWorker(
        [func(never_called, name=ARQ_FUNCTION)],
        queue_name=keys.QUEUE,
        handle_signals=False,
        max_jobs=SLOTS,
        ctx={
            "open_url": open_url,
            "open_runner": open_runner,
            "cron": partial(Cron, schedules=[]),
            "events": partial(Events, kinds=known),
            "courier": partial(Courier, endpoints=UNSIGNED),
            "lease_seconds": LEASE_SECONDS,
        },
    )
