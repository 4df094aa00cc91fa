"""A worker of the test's own kinds, in the test's own process, on a store of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from arq.worker import func

from jobs import keys
from jobs.connection import Client, connect
from jobs.conversations import Conversations
from jobs.cron import Cron, Schedule
from jobs.endpoints import UNSIGNED
from jobs.enqueuing import ARQ_FUNCTION
from jobs.events import Events, Subscription
from jobs.kind import AnyKind
from jobs.leases import Leases
from jobs.log import Log
from jobs.model import JobId, JsonObject
from jobs.queue import Queue, Submission
from jobs.rejects import Rejects
from jobs.sessions import Sessions
from tests.valkey import ValkeyProcess
from workers.courier import Courier
from workers.provider import Provider
from workers.run import Tools
from workers.runner import Runner
from workers.worker import JobWorker

PATIENCE_SECONDS = 20.0


async def _never_called(ctx: dict[str, Any], job_id: str) -> None:
    """arq wants a function; our worker runs the job by its record."""


@dataclass
class Engine:
    """One store with workers on it, and what a test asks of them."""

    url: str
    client: Client
    kinds: dict[str, AnyKind] = field(default_factory=dict)
    subscriptions: list[Subscription] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    providers: dict[str, Provider] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.queue = Queue(self.client)
        self.log = Log(self.client)

    @property
    def events(self) -> Events:
        return Events(self.client, self.kinds, self.subscriptions)

    def know(self, *kinds: AnyKind) -> None:
        """Register kinds, for the workers that start from now on."""
        self.kinds.update({kind.name: kind for kind in kinds})

    async def submit(self, kind: AnyKind, given: JsonObject | None = None, **more: Any) -> JobId:
        submitted = await self.queue.submit(Submission(kind=kind, input=given or {}, **more))
        return submitted.job_id

    async def snapshot(self, job_id: JobId) -> JsonObject:
        return (await self.log.story(job_id)).snapshot

    async def until(self, job_id: JobId, *states: str) -> JsonObject:
        """The snapshot once the job is in one of the states."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (snapshot := await self.snapshot(job_id))["state"] not in states:
                await asyncio.sleep(0.01)
        return snapshot

    async def ended(self, job_id: JobId) -> JsonObject:
        return await self.until(job_id, "completed", "failed", "cancelled")

    @asynccontextmanager
    async def worker(self, *, slots: int = 10, lease_seconds: float = 2.0) -> AsyncIterator[JobWorker]:
        """A worker of these kinds; leaving hands back what it has not finished."""
        worker = JobWorker(
            [func(_never_called, name=ARQ_FUNCTION)],
            queue_name=keys.QUEUE,
            handle_signals=False,
            max_jobs=slots,
            ctx={
                "open_url": self._open_url,
                "open_runner": partial(self._open_runner, lease_seconds),
                "cron": partial(Cron, schedules=self.schedules),
                "events": partial(Events, kinds=self.kinds, more=self.subscriptions),
                "courier": partial(Courier, endpoints=UNSIGNED),
                "lease_seconds": lease_seconds,
            },
        )
        working = asyncio.create_task(worker.main())
        try:
            yield worker
        finally:
            worker.stop()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await working

    @asynccontextmanager
    async def _open_url(self) -> AsyncIterator[str]:
        yield self.url

    @asynccontextmanager
    async def _open_runner(self, lease_seconds: float, client: Client) -> AsyncIterator[Runner]:
        tools = Tools(
            Log(client),
            Queue(client),
            self.kinds,
            self.providers,
            lambda *_: None,
            Conversations(client),
            Sessions(client),
            Rejects(client),
        )
        yield Runner(self.kinds, tools, Leases(client, lease_seconds=lease_seconds))


@pytest.fixture
async def engine(store: ValkeyProcess) -> AsyncIterator[Engine]:
    """An empty store, ready for workers."""
    async with connect(store.url) as client:
        await client.flushall()
        yield Engine(store.url, client)


def names(steps: Sequence[JsonObject]) -> list[tuple[str, str]]:
    """Each step's name and state."""
    return [(step["name"], step["state"]) for step in steps]
