"""arq without us."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from arq import ArqRedis, Worker, func
from redis.asyncio import ConnectionPool

from bench.engine.contenders.program import SLOTS, Begin, Store, Submit, main

QUEUE = "arq:queue"
TUNED = {"max_jobs": SLOTS, "poll_delay": 0.005, "queue_read_limit": 10 * SLOTS}


class Arq:
    """A worker that looks into its queue every half a second, or where it is tuned every 5 ms."""

    def __init__(self, store: Store) -> None:
        self._redis = ArqRedis(ConnectionPool.from_url(store.url))
        self._options: dict[str, Any] = TUNED if store.tuned else {}

    @asynccontextmanager
    async def submitting(self) -> AsyncIterator[Submit]:
        async with self._redis:
            yield lambda sent, delay: self._redis.enqueue_job("begin", sent, _defer_by=delay or None)

    @asynccontextmanager
    async def working(self, begin: Begin) -> AsyncIterator[None]:
        async def run(_: dict[str, Any], sent: float) -> None:
            begin(sent)

        worker = Worker([func(run, name="begin")], redis_pool=self._redis, handle_signals=False, **self._options)
        working = asyncio.create_task(worker.async_run())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait([working, *worker.tasks.values()])
            await self._redis.aclose(close_connection_pool=True)

    async def unfinished(self) -> int:
        return int(await self._redis.zcard(QUEUE))


if __name__ == "__main__":
    main(Arq, tuned_loop=uvloop.new_event_loop)
