"""Follow a job from any place in its story. Every transport reads this and nothing else."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from jobs.errors import JobNotFound, StoreUnavailable
from jobs.log import Log, Page
from jobs.model import JobId, Reason
from jobs.snapshot import Story
from jobs.updates import Cursor, Entry
from service.hub import Hub
from service.library import Library
from service.tail import Tail
from service.witness import Beginning, Unwatched, Witness

PING_SECONDS = 15.0
BATCH_BYTES = 64 * 1024
UNWELL_SECONDS = 1.0
"""How often the log is asked while entries do not arrive by themselves."""


@dataclass(frozen=True)
class Told:
    """The whole job, instead of what a cursor would have said; `story.before_end` is what a client takes over."""

    story: Story
    reason: Reason


@dataclass(frozen=True, slots=True)
class Place:
    """Nothing follows for now, as far as is known here; the listener was told something last at `heard_at`."""

    cursor: Cursor
    heard_at: float


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing new for a while; `cursor` is the newest, by the log itself."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Bye:
    """This process ends the stream; the listener may come back with its last cursor."""

    reason: Literal["shutdown", "rotate", "unauthorized"]


@dataclass(frozen=True)
class Gone:
    """The job was deleted or has expired while it was followed."""


Item = Told | list[Entry] | Quiet | Bye | Gone

Began = Callable[[Beginning], None]
"""Who is told how a stream began."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a listener may follow: until `deadline` on the event loop's clock, and what it is told then."""

    deadline: float
    farewell: Bye


def place_after(place: Cursor | None, item: Item) -> Cursor | None:
    """Where a listener stands who was at that place, and was told this."""
    match item:
        case Told(story=story):
            return story.cursor_before_end
        case list():
            return item[-1].cursor
    return place


class Feed:
    """The only way to listen to jobs."""

    def __init__(
        self, log: Log, hub: Hub, *, ping_seconds: float = PING_SECONDS, witness: Witness | None = None
    ) -> None:
        self._hub = hub
        self.witness = witness or Unwatched()
        self.library = Library(log)
        self.ping_seconds = ping_seconds
        self.stopping = asyncio.Event()

    @property
    def followed(self) -> int:
        """How many jobs are followed in this process."""
        return self._hub.followed

    @property
    def listeners(self) -> int:
        """How many follow them, each job counted."""
        return self._hub.listeners

    def stop(self) -> None:
        """Say farewell to every listener."""
        self.stopping.set()
        self._hub.wake_all()

    async def follow(self, job_id: JobId, after: Cursor | None, bounds: Bounds) -> AsyncGenerator[Item, None]:
        """What follows the cursor, in order, each update once, until the end of the run.

        Without a cursor, or with one from which the log cannot or should not go on, it begins with Told."""
        async with self._hub.tail(job_id) as tail, aclosing(self.walk(tail, after, bounds)) as items:
            async for item in items:
                if not isinstance(item, Place):
                    yield item

    async def stream(self, job_id: JobId, after: Cursor | None, bounds: Bounds) -> AsyncGenerator[Item, None]:
        """The same, where those who watch are told how it begins, and when updates reach its end."""
        began = self.witness.began
        async with self._hub.tail(job_id) as tail, aclosing(self.walk(tail, after, bounds, began=began)) as items:
            waited = False
            async for item in items:
                if not isinstance(item, Place):
                    yield item
                if waited and isinstance(item, list):
                    self.witness.delivered(item[-1])
                waited = isinstance(item, Place)

    async def walk(
        self,
        tail: Tail,
        after: Cursor | None,
        bounds: Bounds,
        *,
        heard_at: float | None = None,
        began: Began | None = None,
    ) -> AsyncGenerator[Item | Place, None]:
        """The same over a tail that is there already, and in between the place where nothing follows for now.

        A listener who was told something before says when; for one who comes, `began` is told how it begins."""
        walk = _Walk(self.library, tail.job_id, after)
        now = asyncio.get_running_loop().time
        heard_at = now() if heard_at is None else heard_at
        while not walk.ended:
            seen, well = tail.version, tail.well  # taken before reading, so no change slips by
            if farewell := self.farewell(bounds):
                yield farewell
                return
            try:
                item: Item | None = await walk.next(tail, seen)
            except StoreUnavailable:
                item, well = None, False
            except JobNotFound:
                yield Gone()
                return
            if began is not None and (item is not None or well):
                began(item.reason if isinstance(item, Told) else "resumed")
                began = None
            if item is not None:
                heard_at = now()
                yield item
                continue
            if now() - heard_at >= self.ping_seconds:
                heard_at = now()
                if walk.place is not None:
                    yield Quiet(walk.place)
            if walk.place is not None and well:
                yield Place(walk.place, heard_at)
            left = max(0.0, min(heard_at + self.ping_seconds, bounds.deadline) - now())
            walk.trust = await tail.changed(seen, left if well else min(left, UNWELL_SECONDS))

    def farewell(self, bounds: Bounds) -> Bye | None:
        """What a listener is sent away with, if it is time."""
        if self.stopping.is_set():
            return Bye("shutdown")
        return bounds.farewell if asyncio.get_running_loop().time() >= bounds.deadline else None


class _Walk:
    """One listener's way through one log: its whole state is a cursor."""

    def __init__(self, library: Library, job_id: JobId, after: Cursor | None) -> None:
        self._library = library
        self._job_id = job_id
        self.place = after
        self.trust = True
        self.ended = False
        self._owed: Entry | None = None

    async def next(self, tail: Tail, seen: int) -> Told | list[Entry] | None:
        """What comes next from here, or None if nothing does yet."""
        if self._owed is not None:
            return self._step([self._owed])
        if self.place is None:
            return await self._tell("initial", tail, seen)
        entries = tail.since(self.place) if self.trust else None
        if entries is not None:
            entries = _batch(entries)
        else:
            page = await self._library.page(self._job_id, self.place, seen)
            if page is None:
                return await self._tell("gap", tail, seen)
            if _snapshot_is_cheaper(page):
                return await self._tell("slow", tail, seen)
            self._teach(tail, self.place, page, seen)
            entries = page.entries
        return self._step(entries) if entries else None

    def _teach(self, tail: Tail, place: Cursor, page: Page, seen: int) -> None:
        """Let those who come to the same place find in the tail what was read, or learn that it lacks something."""
        if page.entries and not self.trust and tail.version == seen:
            tail.forget()
        elif page.whole:
            tail.learn(place, page.entries, seen)

    async def _tell(self, reason: Reason, tail: Tail, seen: int) -> Told:
        story = await self._library.newest(self._job_id)
        self.place = story.cursor_before_end
        self._owed = story.end
        if story.end is None:
            tail.learn(self.place, [], seen)
        return Told(story, reason)

    def _step(self, entries: list[Entry]) -> list[Entry]:
        self._owed = None
        self.trust = True
        last = next((at for at, entry in enumerate(entries) if entry.last), None)
        if last is not None:
            entries = entries[: last + 1]
            self.ended = True
        self.place = entries[-1].cursor
        return entries


def _batch(entries: list[Entry]) -> list[Entry]:
    """As many of the entries, in order, as a reader that takes nothing may keep in memory; at least one."""
    size = 0
    for at, entry in enumerate(entries):
        size += len(entry.body)
        if at and size > BATCH_BYTES:
            return entries[:at]
    return entries


def _snapshot_is_cheaper(page: Page) -> bool:
    return page.behind > page.snapshot_size
