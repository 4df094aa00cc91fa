"""What is told without a task: listeners who are caught up are written to, and served by a task only where they are
not."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Protocol

import structlog

from jobs.errors import StoreUnavailable
from jobs.model import JobId
from jobs.updates import Cursor
from service.audience import Audience, Listener
from service.feed import Began, Bounds, Bye, Feed, Item, Place, Quiet, place_after
from service.hub import CONFIRM_SECONDS, Hub
from service.tail import Tail
from service.wheel import TICK_SECONDS, Wheel

ASKED_AT_ONCE = 500
"""About how many jobs the store is asked by one call, which holds up all others for a millisecond."""

FOR_EVER = Bounds(float("inf"), Bye("rotate"))

log = structlog.get_logger(__name__)


class Follower(Listener, Protocol):
    """A listener as it is served while it is not caught up."""

    tail: Tail
    bounds: Bounds
    task: asyncio.Task[None] | None
    tick: int

    @property
    def ready(self) -> bool:
        """Whether it takes more just now."""

    @property
    def over(self) -> bool:
        """Whether it is to be told nothing more."""

    def stand(self, place: Cursor) -> None:
        """Wait at that place until it takes more."""

    async def tell(self, item: Item) -> None:
        """Be told this, at its own pace."""

    def dismiss(self, farewell: Bye) -> None:
        """Be sent away."""


class Delivery:
    """Serves listeners until they are gone: an audience where it can, a walk of their own where it must."""

    def __init__(self, feed: Feed, hub: Hub) -> None:
        self.feed = feed
        self._hub = hub
        self._walks: set[asyncio.Task[None]] = set()
        self._followers: set[Follower] = set()
        now = asyncio.get_running_loop().time()
        self._deadlines: Wheel[Follower] = Wheel(now)
        self._silences: Wheel[Audience] = Wheel(now)

    @property
    def walks(self) -> int:
        """How many tasks walk just now, for one listener or for many."""
        return len(self._walks)

    def enter(self, job_id: JobId) -> Tail:
        """The tail that a new follower of the job needs."""
        return self._hub.enter(job_id)

    def begin(self, follower: Follower, after: Cursor | None) -> None:
        """Serve the follower from that place on."""
        self._followers.add(follower)
        self._deadlines.put(follower, follower.bounds.deadline)
        follower.task = self._start(self._walk(follower, after, self.feed.witness.began))

    def walk(self, follower: Follower, after: Cursor | None) -> None:
        """Serve a follower who is not caught up, until it is."""
        follower.task = self._start(self._walk(follower, after))

    def end(self, follower: Follower) -> None:
        """Serve the follower no more."""
        if follower not in self._followers:
            return
        self._followers.discard(follower)
        self._deadlines.drop(follower)
        if (audience := follower.audience) is not None:
            audience.leave(follower)
            self._expect_silence(audience)
        if follower.task is not None:
            follower.task.cancel()
        self._hub.leave(follower.tail)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while the block runs."""
        companions = [asyncio.create_task(each) for each in (self._turn_for_ever(), self._stop())]
        try:
            yield
        finally:
            tasks = {*companions, *self._walks}
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _walk(self, follower: Follower, after: Cursor | None, began: Began | None = None) -> None:
        """Tell the follower alone, until it can join the others at the tail's end, or is over."""
        try:
            await follower.tail.confirmed(CONFIRM_SECONDS)
            while not follower.over:
                walk = self.feed.walk(follower.tail, after, follower.bounds, began=began)
                began = None
                async with aclosing(walk) as items:
                    async for item in items:
                        if not isinstance(item, Place):
                            await follower.tell(item)
                            after = place_after(after, item)
                        elif not follower.ready:
                            follower.stand(item.cursor)
                            return
                        elif self._admit(follower, item):
                            return
        except Exception as error:
            log.exception("a stream failed", error=type(error).__name__)
            follower.abort()
        finally:
            follower.task = None

    def _admit(self, follower: Follower, place: Place) -> bool:
        if self.feed.stopping.is_set():
            return False
        audience = follower.tail.audience
        if not isinstance(audience, Audience):
            audience = Audience(follower.tail, self._recover, self.feed.witness.delivered)
        if not audience.admit(follower, place):
            return False
        self._expect_silence(audience)
        return True

    def _recover(self, audience: Audience) -> None:
        audience.walker = self._start(self._walk_together(audience))

    async def _walk_together(self, audience: Audience) -> None:
        """Walk on for all of an audience that stands at the same place, until the tail tells them again."""
        try:
            while audience.listeners and not audience.live:
                await self._walk_run(audience)
            self._expect_silence(audience)
        except Exception as error:
            log.exception("an audience failed", error=type(error).__name__)
            for listener in tuple(audience.listeners):
                listener.abort()
        finally:
            if audience.walker is asyncio.current_task():
                audience.walker = None

    async def _walk_run(self, audience: Audience) -> None:
        walk = self.feed.walk(audience.tail, audience.place, FOR_EVER, heard_at=audience.heard_at)
        async with aclosing(walk) as items:
            async for item in items:
                place = audience.place
                assert place is not None  # noqa: S101  # it was live
                match item:
                    case Place():
                        if audience.at_end(item):
                            audience.live = True
                            return
                    case list():
                        audience.place = item[-1].cursor
                        audience.tell(place.written, item, asyncio.get_running_loop().time())
                    case Quiet():
                        audience.hush(place, asyncio.get_running_loop().time())
                    case _:  # what each finds out, and takes, by itself
                        audience.tail.forget()
                        for listener in tuple(audience.listeners):
                            listener.walk(place)
                if not audience.listeners:
                    return

    async def _turn_for_ever(self) -> None:
        """Break silences, and end what has lasted long enough."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(TICK_SECONDS)
            silent = [each for each in self._silences.turn(clock()) if self._is_silent(each)]
            for start in range(0, len(silent), ASKED_AT_ONCE):
                self._start(self._break_silence(silent[start : start + ASKED_AT_ONCE]))
            for follower in self._deadlines.turn(clock()):
                if follower.task is None:  # else its walk ends in time
                    follower.dismiss(follower.bounds.farewell)

    def _is_silent(self, audience: Audience) -> bool:
        """Whether a ping is due; if not, it is looked at again when one may be."""
        if asyncio.get_running_loop().time() - audience.heard_at >= self.feed.ping_seconds:
            return audience.live
        self._expect_silence(audience)
        return False

    async def _break_silence(self, audiences: Sequence[Audience]) -> None:
        """Ask the log itself, since the last message may be the one that was lost; then say that nothing is new."""
        places = {each.tail.job_id: place for each in audiences if (place := each.tail.end) is not None}
        try:
            moved = await self.feed.library.moved(places)
        except StoreUnavailable:
            moved = set(places)
        now = asyncio.get_running_loop().time()
        for audience in audiences:
            tail = audience.tail
            if audience.live and (end := tail.end) is not None and end == places.get(tail.job_id):
                if tail.job_id in moved:
                    tail.forget()
                else:
                    audience.hush(end, now)
            self._expect_silence(audience)

    def _expect_silence(self, audience: Audience) -> None:
        if audience.live:
            self._silences.put(audience, audience.heard_at + self.feed.ping_seconds)
        else:
            self._silences.drop(audience)

    async def _stop(self) -> None:
        """Send everybody away when the process stops; whose walk goes on hears it there."""
        await self.feed.stopping.wait()
        for follower in tuple(self._followers):
            if follower.task is None:
                follower.dismiss(Bye("shutdown"))

    def _start(self, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._walks.add(task)
        task.add_done_callback(self._walks.discard)
        return task
