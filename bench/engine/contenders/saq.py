"""SAQ."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvloop
from redis.asyncio import Redis
from saq import Worker
from saq.queue.redis import RedisQueue

from bench.engine.contenders.program import SLOTS, Begin, Store, Submit, main

TUNED = {"concurrency": SLOTS}


class Saq:
    """A worker whose slots each wait in the queue by themselves."""

    def __init__(self, store: Store) -> None:
        self._queue = RedisQueue(Redis.from_url(store.url))  # its own from_url takes no sockets
        self._options: dict[str, Any] = TUNED if store.tuned else {}

    @asynccontextmanager
    async def submitting(self) -> AsyncIterator[Submit]:
        def submit(sent: float, delay: float) -> Any:
            return self._queue.enqueue("begin", sent=sent, scheduled=int(time.time() + delay) if delay else 0)

        yield submit
        await self._queue.disconnect()

    @asynccontextmanager
    async def working(self, begin: Begin) -> AsyncIterator[None]:
        async def run(_: dict[str, Any], *, sent: float) -> None:
            begin(sent)

        worker = Worker(self._queue, functions=[("begin", run)], **self._options)
        working = asyncio.create_task(worker.start())
        try:
            yield
        finally:
            await worker.stop()
            await asyncio.wait([working])
            await self._queue.disconnect()

    async def unfinished(self) -> int:
        return int(await self._queue.count("incomplete"))


if __name__ == "__main__":
    main(Saq, tuned_loop=uvloop.new_event_loop)
