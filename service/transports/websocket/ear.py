"""What a WebSocket is told of one job: pushed to it while it is caught up, where the server lets others push."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing

from jobs.model import JobId
from jobs.updates import Cursor, Entry
from service.audience import Batch
from service.delivery import Delivery
from service.feed import Bounds, Bye, Gone, Item
from service.pipe import Pipe, message
from service.reader import Reader
from service.transports.websocket.connection import Connection


async def heard_out(
    connection: Connection, delivery: Delivery, job_id: JobId, after: Cursor | None, bounds: Bounds
) -> Bye | Gone | None:
    """Tell what follows the cursor, until all is told; what ended it before, if anything did."""
    if connection.pipe is not None:
        ear = Ear(delivery, connection, connection.pipe, job_id, bounds)
        try:
            ear.begin(after)
            return await ear.over_by
        finally:
            ear.leave()
    async with aclosing(delivery.feed.stream(job_id, after, bounds)) as items:
        async for item in items:
            await connection.tell(job_id, item)
            if isinstance(item, Bye | Gone):
                return item
    return None


class Ear(Reader):
    """A listener that is over with the end of the run, or when it is sent away; `over_by` then says which."""

    __slots__ = ("_connection", "_over", "_why", "over_by")

    def __init__(self, delivery: Delivery, connection: Connection, pipe: Pipe, job_id: JobId, bounds: Bounds) -> None:
        super().__init__(delivery, pipe, job_id, bounds)
        self.over_by: asyncio.Future[Bye | Gone | None] = asyncio.get_running_loop().create_future()
        self._connection = connection
        self._over = False
        self._why: Bye | Gone | None = None
        connection.ears.add(self)
        pipe.holder = connection

    def begin(self, after: Cursor | None) -> None:
        """Listen from that place on."""
        self._delivery.begin(self, after)

    def leave(self) -> None:
        self._connection.ears.discard(self)
        self._end()
        super().leave()

    @property
    def ready(self) -> bool:
        return super().ready and not self._outlet.ended  # behind the closing frame nothing may follow

    @property
    def over(self) -> bool:
        return self._over or self._outlet.ended

    def said(self, batch: Batch) -> bytes:
        self._connection.said_at = batch.at
        return batch.told_as("websocket", self._messages)

    def pieces(self, item: Item) -> Iterator[bytes]:
        for text in self._connection.words(self.tail.job_id, item):
            yield message(text)

    async def tell(self, item: Item) -> None:
        if isinstance(item, Bye | Gone):
            self._why = item
        await super().tell(item)

    def dismiss(self, farewell: Bye) -> None:
        self._why = farewell
        super().dismiss(farewell)

    def finish(self) -> None:
        self.leave_audience()
        self._end()

    def abort(self) -> None:
        super().abort()
        self._end()

    def _end(self) -> None:
        self._over = True
        if not self.over_by.done():
            self.over_by.set_result(self._why)

    def _messages(self, entries: list[Entry]) -> bytes:
        return b"".join(map(message, self._connection.words(self.tail.job_id, entries)))
