"""A log in memory and a subscription to it that loses, delays, repeats and resets, as told by a seed."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.exceptions import ConnectionError as RedisConnectionError

from jobs import keys
from jobs.errors import JobNotFound, StoreUnavailable
from jobs.log import Head, Log, Page
from jobs.model import JobId, JsonObject, State
from jobs.snapshot import Story
from jobs.updates import Cursor, Entry
from service.subscription import Hear, Reply, Subscription

JOB = JobId("a-job-of-the-fake-log")
START = Cursor(1, 1)
PAGE_ENTRIES = 7
ENTRY_BYTES = 100
TICK = 1e-6
MOST_CALLS = 100_000
CHANNEL = keys.channel(JOB).encode()


@dataclass(frozen=True)
class Faults:
    """How likely each fault is: of a message, of a call, or of the connection at each entry."""

    lost: float = 0.0
    late: float = 0.0
    repeated: float = 0.0
    cut: float = 0.0
    frozen: float = 0.0
    refused: float = 0.0
    """Of a call of the log, or of a new connection."""


class FakeStore:
    """One job's log and its channel; `subscribe` is what a hub connects with."""

    def __init__(self, seed: int, faults: Faults, *, snapshot_bytes: int = 1_000_000) -> None:
        self.random = random.Random(seed)
        self.faults = faults
        self.log = FakeLog(self, snapshot_bytes)
        self.takes_subscriptions = True
        self._line: FakeSubscription | None = None

    @asynccontextmanager
    async def subscribe(self, hear: Hear) -> AsyncIterator[Subscription]:
        """A new connection, in place of the one before."""
        await asyncio.sleep(self.moment())
        if self.happens(self.faults.refused) or not self.takes_subscriptions:
            raise RedisConnectionError("refused")
        self._line = line = FakeSubscription(self, hear)
        try:
            yield line
        finally:
            line.freeze()

    def write(self, event: str = "delta") -> Entry:
        """Append one entry and announce it, with whatever faults befall that."""
        entry, before = self.log.write(event)
        if self._line:
            self._line.announce(entry, before)
            if self.happens(self.faults.cut):
                self._line.cut()
            if self.happens(self.faults.frozen):
                self._line.freeze()
        return entry

    def roll_back(self, entries: int) -> None:
        """Restart as a store does that lost its newest writes; later ones are numbered as the lost ones were."""
        self.log.drop_newest(entries)
        self.cut()

    def cut(self) -> None:
        """Break the connection; what was under way still arrives."""
        if self._line:
            self._line.cut()

    def freeze(self) -> None:
        """Let the connection die without a word."""
        if self._line:
            self._line.freeze()

    def delete(self) -> None:
        """Forget the job, and tell its channel by an empty message."""
        self.log.deleted = True
        if self._line and not self.happens(self.faults.lost):
            self._line.deliver([b"message", CHANNEL, b""])

    def happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def moment(self) -> float:
        """How long something takes: mostly nothing, sometimes longer than anyone waits for it."""
        return self.random.choice([0.0, 0.0, 0.0, 0.001, 0.01, 1.5])


class FakeLog(Log):
    """The log of one job as the store keeps it; `before` knows what each cursor ever given out followed."""

    def __init__(self, store: FakeStore, snapshot_bytes: int) -> None:
        self._store = store
        self._snapshot_bytes = snapshot_bytes
        self._us = START.us
        self._front: Entry | None = None
        self.entries = [Entry.at(START, "state", ENTRY_BYTES, b"{}")]
        self.before: dict[Cursor, Cursor] = {}
        self.written_at: dict[Cursor, float] = {}
        self.calls = self.reads = 0
        self.deleted = False
        self.end: Cursor | None = None
        """Of the last run, once the test has written it."""

    @property
    def newest(self) -> Entry:
        return self.entries[-1]

    @property
    def held(self) -> set[Cursor]:
        """The cursors from which the log can go on."""
        front = [self._front.cursor] if self._front else []
        return {entry.cursor for entry in self.entries} | set(front)

    def write(self, event: str) -> tuple[Entry, Cursor]:
        self._us += self._store.random.randrange(3)
        before = self.newest
        entry = Entry.at(Cursor(self._us, before.seq + 1), event, before.total + ENTRY_BYTES, b"{}")
        self.before[entry.cursor] = before.cursor
        self.written_at[entry.cursor] = asyncio.get_running_loop().time()
        self.entries.append(entry)
        return entry, before.cursor

    def drop_newest(self, entries: int) -> None:
        self.entries = self.entries[: max(1, len(self.entries) - entries)]
        self._us += 10  # the clock goes on, so no cursor is given out twice

    def trim(self, keep: int) -> None:
        """Drop entries from the front; the place right before what is kept stays known."""
        if len(self.entries) > keep:
            self._front = self.entries[-keep - 1]
            self.entries = self.entries[-keep:]

    async def read(self, _job_id: JobId, after: Cursor, *, most: int = PAGE_ENTRIES) -> Page | None:
        await self._reach()
        self.reads += 1
        if after not in self.held:
            return None
        following = [entry for entry in self.entries if entry.seq > after.seq]
        behind = self.newest.total - (following[0].total - ENTRY_BYTES) if following else 0
        entries = following[: min(most, PAGE_ENTRIES)]
        page = Page(entries, behind, self._snapshot_bytes, whole=entries == following)
        await asyncio.sleep(self._store.moment())
        return page

    async def moved(self, places: Mapping[JobId, Cursor]) -> set[JobId]:
        try:
            await self._reach()
        except JobNotFound:
            return set(places)
        newest = self.newest.cursor
        await asyncio.sleep(self._store.moment())
        return {job_id for job_id, place in places.items() if place != newest}

    async def head(self, _job_id: JobId) -> Head:
        await self._reach()
        newest = self.newest
        await asyncio.sleep(self._store.moment())
        return Head("fake", None, State.COMPLETED if newest.last else State.RUNNING, newest.cursor)

    async def story(self, _job_id: JobId) -> Story:
        await self._reach()
        ended = self.newest.last
        place = self.before[self.newest.cursor] if ended else self.newest.cursor
        story = Story(_snapshot(place), self.newest if ended else None)
        await asyncio.sleep(self._store.moment())
        return story

    async def _reach(self) -> None:
        self.calls += 1
        assert self.calls < MOST_CALLS, "the log is asked without a pause"
        await asyncio.sleep(self._store.moment())
        if self._store.happens(self._store.faults.refused):
            raise StoreUnavailable
        if self.deleted:
            raise JobNotFound


def _snapshot(place: Cursor) -> JsonObject:
    return {"cursor": str(place), "seq": place.seq}


class FakeSubscription:
    """One connection that listens: commands and replies arrive in order, each after a while, unless at fault."""

    def __init__(self, store: FakeStore, hear: Hear) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._store = store
        self._hear = hear
        self._loop = asyncio.get_running_loop()
        self._subscribed: set[bytes] = set()
        self._sent_at = self._arrived_at = 0.0
        self._dead = False

    def announce(self, entry: Entry, before: Cursor) -> None:
        """Tell the subscriber of the entry, as the append script does."""
        if CHANNEL not in self._subscribed:
            return
        data = b"|".join([f"{entry.cursor}|{before}|{entry.event}|{entry.total}".encode(), entry.body])
        faults, message = self._store.faults, [b"message", CHANNEL, data]
        if self._store.happens(faults.lost):
            return
        if self._store.happens(faults.late):
            self._loop.call_later(self._store.random.uniform(0, 3), self._put, message)
            return
        self.deliver(message)
        if self._store.happens(faults.repeated):
            self._loop.call_later(self._store.random.uniform(0, 3), self._put, message)

    def deliver(self, reply: Reply | None) -> None:
        """Let the reply arrive after all that is under way; None is the end."""
        self._arrived_at = max(self._arrived_at + TICK, self._loop.time() + self._store.moment())
        self._loop.call_at(self._arrived_at, self._put, reply)

    def cut(self) -> None:
        self._subscribed.clear()
        self.deliver(None)

    def freeze(self) -> None:
        self._dead = True

    def subscribe(self, *channels: bytes) -> None:
        self._send(lambda: self._enter(set(channels)))

    def unsubscribe(self, *channels: bytes) -> None:
        self._send(lambda: self._leave(set(channels)))

    def ping(self) -> None:
        self._send(lambda: self.deliver([b"pong", b""]))

    def _send(self, arrive: Callable[[], None]) -> None:
        self._sent_at = max(self._sent_at + TICK, self._loop.time() + self._store.moment())
        self._loop.call_at(self._sent_at, arrive)

    def _enter(self, channels: set[bytes]) -> None:
        if not self._dead:
            self._subscribed |= channels
        for channel in sorted(channels):
            self.deliver([b"subscribe", channel, 1])

    def _leave(self, channels: set[bytes]) -> None:
        self._subscribed -= channels
        for channel in sorted(channels):
            self.deliver([b"unsubscribe", channel, 0])

    def _put(self, reply: Reply | None) -> None:
        if self._dead or self.lost.done():
            return
        if reply is None:
            self.lost.set_result("cut")
        else:
            self._hear([reply])
