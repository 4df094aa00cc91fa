"""streaQ."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import uvloop
from streaq import Worker

from bench.engine.contenders.program import SLOTS, Begin, Store, Submit, main

TUNED = {"concurrency": SLOTS}


class Streaq:
    """A worker that reads its tasks from a stream, some ahead."""

    def __init__(self, store: Store) -> None:
        self._worker: Worker[Any] = Worker(store.url, handle_signals=False, **(TUNED if store.tuned else {}))
        self._begin: Begin = lambda _: None

        @self._worker.task(name="begin")
        async def run(sent: float) -> None:
            self._begin(sent)

        self._task = run

    @asynccontextmanager
    async def submitting(self) -> AsyncIterator[Submit]:
        async def submit(sent: float, delay: float) -> None:
            await self._task.enqueue(sent).start(delay=timedelta(seconds=delay) if delay else None)

        async with self._worker:
            yield submit

    @asynccontextmanager
    async def working(self, begin: Begin) -> AsyncIterator[None]:
        self._begin = begin
        working = asyncio.create_task(self._worker.run_async())
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait([working])

    async def unfinished(self) -> int:
        return int(await self._worker.queue_size())


if __name__ == "__main__":
    main(Streaq, tuned_loop=uvloop.new_event_loop)
