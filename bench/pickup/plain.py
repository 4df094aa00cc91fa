"""arq as it comes, on the same store: a worker that looks into its queue every half a second."""

import asyncio
import random
import time
from typing import Any

from arq import ArqRedis, Worker, func
from redis.asyncio import ConnectionPool

QUEUE = "bench:plain"
POLL_SECONDS = 0.5
PATIENCE_SECONDS = 10.0


async def start_times(store_url: str, count: int) -> list[float]:
    """The seconds from enqueue to start of `count` jobs that do nothing, each enqueued at a random moment."""
    redis = ArqRedis(ConnectionPool.from_url(store_url), default_queue_name=QUEUE)
    starts: asyncio.Queue[float] = asyncio.Queue()

    async def start(ctx: dict[Any, Any]) -> None:  # noqa: ARG001  # arq's way to call
        starts.put_nowait(time.perf_counter())

    worker = Worker([func(start, name="start")], queue_name=QUEUE, redis_pool=redis, handle_signals=False)
    working = asyncio.create_task(worker.async_run())
    try:
        return [await _start_seconds(redis, starts) for _ in range(count)]
    finally:
        working.cancel()
        await asyncio.wait([working, *worker.tasks.values()])  # arq may still write down how the last job went
        await redis.aclose(close_connection_pool=True)


async def _start_seconds(redis: ArqRedis, starts: asyncio.Queue[float]) -> float:
    await asyncio.sleep(random.uniform(0, POLL_SECONDS))  # else each would meet the worker at the same point
    enqueued_at = time.perf_counter()
    await redis.enqueue_job("start")
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await starts.get() - enqueued_at
