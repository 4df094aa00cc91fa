"""The hub on a real store, whose connections are cut while listeners come and go."""

import asyncio
import random

from jobs.connection import Client
from jobs.model import JobId
from service.hub import Hub
from service.subscription import open_subscription
from tests.jobs.patience import PATIENCE_SECONDS
from tests.valkey import ValkeyProcess

VISITORS = 20
CUTS = 12


async def test_listeners_come_and_go_undisturbed_while_the_subscription_is_cut(
    store: ValkeyProcess, redis: Client
) -> None:
    """None of them meets an error; afterwards no job is followed, and entries arrive by themselves again."""
    hub = Hub(lambda hear: open_subscription(store.url, hear))
    cuts_are_over = asyncio.Event()

    async def visit(job_id: JobId, seconds: float) -> None:
        async with hub.tail(job_id):
            await asyncio.sleep(seconds)

    async def come_and_go(visitor: int) -> None:
        dice = random.Random(visitor)
        while not cuts_are_over.is_set():
            visiting = asyncio.create_task(visit(JobId(f"job-{visitor % 5}"), dice.choice([0.0, 0.001, 0.01])))
            await asyncio.sleep(dice.choice([0.0, 0.0005, 0.005, 0.02]))
            visiting.cancel()
            await asyncio.wait([visiting])
            assert visiting.cancelled() or visiting.exception() is None

    async with hub.running():
        async with asyncio.TaskGroup() as visitors:
            for visitor in range(VISITORS):
                visitors.create_task(come_and_go(visitor))
            for _ in range(CUTS):
                await asyncio.sleep(0.15)
                await redis.client_kill_filter(_type="pubsub")
            cuts_are_over.set()
        assert hub.followed == 0
        async with hub.tail(JobId("another")) as tail:
            await tail.confirmed(PATIENCE_SECONDS)
            assert tail.well
