"""Who listens on a connection: one job's listener, whatever its words are framed as."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable

from jobs.model import JobId
from jobs.updates import Cursor
from service.audience import Audience, Batch
from service.delivery import Delivery
from service.feed import Bounds, Bye, Gone, Item, Quiet
from service.flow import Flow


class Reader(ABC):
    """In an audience while it is caught up, on its way there while it has a task; else it stands somewhere, since its
    client takes nothing."""

    __slots__ = ("_delivery", "_outlet", "_place", "audience", "bounds", "tail", "task", "tick")

    def __init__(self, delivery: Delivery, outlet: Flow, job_id: JobId, bounds: Bounds) -> None:
        self.tail = delivery.enter(job_id)
        self.bounds = bounds
        self.audience: Audience | None = None
        self.task: asyncio.Task[None] | None = None
        self.tick = 0
        self._delivery = delivery
        self._outlet = outlet
        self._place: Cursor | None = None

    @abstractmethod
    def said(self, batch: Batch) -> bytes:
        """The batch in this reader's words, wrapped as its outlet wants it."""

    @abstractmethod
    def pieces(self, item: Item) -> Iterable[bytes]:
        """The item in this reader's words, in pieces of which each may be the last that the client takes."""

    @property
    def ready(self) -> bool:
        return not self._outlet.paused

    @property
    def over(self) -> bool:
        return self._outlet.ended

    def take(self, batch: Batch) -> None:
        if not self.ready:
            self.stand(batch.before)
            return
        self._outlet.write(self.said(batch))
        self.heard(last=batch.last)

    def hush(self, quiet: Quiet) -> None:
        if self.ready:
            self._say(quiet)

    def stand(self, place: Cursor) -> None:
        self.leave_audience()
        self._place = place

    def walk(self, place: Cursor) -> None:
        self.leave_audience()
        self._delivery.walk(self, place)

    async def tell(self, item: Item) -> None:
        for piece in self.pieces(item):
            await self._outlet.drained()
            if self._outlet.ended:
                return
            self._outlet.send(piece)
        match item:
            case Bye():
                self.finish()
            case Gone():
                self.heard(last=True)
            case list():
                self.heard(last=item[-1].last)

    def heard(self, *, last: bool) -> None:
        """Something was told; with the last of a run, or of the job, the stream ends."""
        if last:
            self.finish()

    def dismiss(self, farewell: Bye) -> None:
        if not self.over:
            self._say(farewell)
            self.finish()

    def finish(self) -> None:
        """End the stream."""
        self.leave_audience()
        self._outlet.finish()

    def abort(self) -> None:
        self.leave_audience()
        self._outlet.abort()

    def resume(self) -> None:
        """Go on where it stands, if it does."""
        if self.audience is None and self.task is None and not self.over:
            self._delivery.walk(self, self._place)

    def leave(self) -> None:
        """Listen no more: the client is gone."""
        self._delivery.end(self)

    def _say(self, item: Item) -> None:
        for piece in self.pieces(item):
            self._outlet.send(piece)

    def leave_audience(self) -> None:
        """Be told nothing more by the tail."""
        if self.audience is not None:
            self.audience.leave(self)
