"""What works beside a worker's jobs for as long as it does: it hears, relays and mends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import structlog
from redis.exceptions import RedisError

from jobs import keys
from jobs.connection import Client, connect, open_client, store_faults
from jobs.errors import StorageFull, StoreUnavailable
from jobs.events import Events
from jobs.index import Index
from jobs.leases import Leases
from jobs.model import JobId

BELL_SECONDS = 5
RECONCILE_SECONDS = 30.0
PAUSE_SECONDS = 0.2
CALM_SECONDS = 1.0
"""How long a companion that failed stays down: it must not fill the log with what fails each time."""

Companion = Callable[[], Awaitable[object]]

log = structlog.get_logger(__name__)


@asynccontextmanager
async def beside(**companions: Companion) -> AsyncIterator[None]:
    """Keep the companions up while the block runs: one that ends, by whatever fault, begins again.

    The worker lives on meanwhile: a message that no relay can take must not take the jobs with it."""
    async with asyncio.TaskGroup() as tasks:
        kept_up = [tasks.create_task(_keep_up(name, companion)) for name, companion in companions.items()]
        try:
            yield
        finally:
            for task in kept_up:
                task.cancel()


async def _keep_up(name: str, companion: Companion) -> None:
    while True:
        try:
            await companion()
        except Exception:
            log.exception("a worker's companion failed; it begins again", companion=name)
        await asyncio.sleep(CALM_SECONDS)


async def every(seconds: float, act: Companion) -> None:
    """Act again and again; a store that is away or full is left alone until the next time."""
    while True:
        with suppress(StoreUnavailable, StorageFull):
            await act()
        await asyncio.sleep(seconds)


async def hear_bell(url: str, *, wanted: Callable[[], bool], answer: Companion) -> None:
    """Answer each ring, one at a time, while any is wanted: one that is taken here no other worker hears."""
    async with connect(url, call_seconds=2 * BELL_SECONDS, most=1) as client:
        while True:
            try:
                if not wanted():
                    await asyncio.sleep(PAUSE_SECONDS)
                elif await cast("Awaitable[object]", client.blpop([keys.BELL], timeout=BELL_SECONDS)):
                    await answer()
            except (RedisError, OSError):
                await asyncio.sleep(PAUSE_SECONDS)


async def hear_cancels(url: str, tell: Callable[[JobId], None]) -> None:
    """Tell of cancels as they are asked for; one that is missed here comes with the next renewal of the lease."""
    while True:
        client = open_client(url, call_seconds=2 * BELL_SECONDS, most=1)
        try:
            async with client.pubsub() as subscription:
                await subscription.subscribe(keys.CANCELS)
                while True:
                    message = await subscription.get_message(ignore_subscribe_messages=True, timeout=BELL_SECONDS)
                    if message:
                        tell(JobId(message["data"].decode()))
        except (RedisError, OSError):
            await asyncio.sleep(PAUSE_SECONDS)
        finally:
            await client.aclose(close_connection_pool=True)


async def relay(events: Events, *, sent: asyncio.Event, idle_seconds: float) -> None:
    """Deliver the events that jobs have sent: their own worker's at once, those of a dead one soon."""
    while True:
        sent.clear()
        with suppress(StoreUnavailable, StorageFull):
            if await events.relay():
                continue
        with suppress(TimeoutError):
            async with asyncio.timeout(idle_seconds):
                await sent.wait()


async def reconcile(client: Client, leases: Leases, *, name: str) -> None:
    """Mend what no single act can, unless another worker has done so just now."""
    with store_faults():
        if not await client.set(keys.RECONCILER, name, nx=True, ex=round(RECONCILE_SECONDS) - 1):
            return
    if mended := await leases.reconcile():
        log.warning("queue mended", things=mended)
    for index in (keys.JOBS, keys.DEAD_LETTERS):
        await Index(client, index).sweep()
