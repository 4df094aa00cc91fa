"""Who listens on an outlet: one job's listener, whatever its words are framed as."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable

from jobs.model import JobId
from jobs.updates import Cursor
from service.audience import Audience, Batch
from service.delivery import Delivery
from service.feed import Bounds, Bye, Gone, Item, Quiet
from service.outlet import Outlet


class Reader(ABC):
    """In an audience while it is caught up, on its way there while it has a task; else it stands somewhere, since its
    client takes nothing."""

    __slots__ = ("_delivery", "_outlet", "_place", "audience", "bounds", "tail", "task", "tick")

    def __init__(self, delivery: Delivery, outlet: Outlet, job_id: JobId, bounds: Bounds) -> None:
        self.tail = delivery.enter(job_id)
        self.bounds = bounds
        self.audience: Audience | None = None
        self.task: asyncio.Task[None] | None = None
        self.tick = 0
        self._delivery = delivery
        self._outlet = outlet
        self._place: Cursor | None = None
        outlet.holder = self

    @abstractmethod
    def said(self, batch: Batch) -> bytes:
        """The batch in this reader's words, wrapped as its outlet wants it."""

    @abstractmethod
    def pieces(self, item: Item) -> Iterable[bytes]:
        """The item in this reader's words, in pieces of which each may be the last that the client takes."""

    @property
    def ready(self) -> bool:
        return not self._outlet.paused

    def take(self, batch: Batch) -> None:
        if self._outlet.paused:
            self.stand(batch.before)
            return
        self._outlet.write(self.said(batch))
        if batch.last:
            self._end()

    def hush(self, quiet: Quiet) -> None:
        if self.ready:
            self._say(quiet)

    def stand(self, place: Cursor) -> None:
        self._leave_audience()
        self._place = place

    def walk(self, place: Cursor) -> None:
        self._leave_audience()
        self._delivery.walk(self, place)

    async def tell(self, item: Item) -> None:
        for piece in self.pieces(item):
            await self._outlet.drained()
            if self._outlet.ended:
                return
            self._outlet.send(piece)
        if isinstance(item, Bye | Gone) or (isinstance(item, list) and item[-1].last):
            self._end()

    def dismiss(self, farewell: Bye) -> None:
        if not self._outlet.ended:
            self._say(farewell)
            self._end()

    def abort(self) -> None:
        self._leave_audience()
        self._outlet.abort()

    def resume(self) -> None:
        if self.audience is None and self.task is None:
            self._delivery.walk(self, self._place)

    def leave(self) -> None:
        self._delivery.end(self)

    def _say(self, item: Item) -> None:
        for piece in self.pieces(item):
            self._outlet.send(piece)

    def _end(self) -> None:
        self._leave_audience()
        self._outlet.finish()

    def _leave_audience(self) -> None:
        if self.audience is not None:
            self.audience.leave(self)
