"""The newest entries of one followed job, shared by everyone who follows it in this process."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from jobs.model import JobId
from jobs.updates import Cursor, Entry

TAIL_ENTRIES = 32
"""So many are kept, and now and then twice as many. Whoever is caught up needs none of them, and whoever is far
behind reads the log."""

Announced = tuple[bytes, Entry]
"""An entry, and the place that it follows."""


class Audience(Protocol):
    """Who is given each entry the moment that it is announced."""

    def hear(self, before: bytes, entries: Sequence[Entry], at: float) -> None:
        """Take what follows that place, without a gap; `at` is the event loop's time."""

    def lose(self, place: Cursor) -> None:
        """Find out elsewhere what follows that place, the last that was given."""


class Tail:
    """The newest entries of one job, as far as they are known to follow each other."""

    __slots__ = ("_changed", "_confirmed", "_entries", "_front", "audience", "job_id", "listeners", "version", "well")

    def __init__(self, job_id: JobId, *, version: int = 0) -> None:
        self.job_id = job_id
        self.version = version
        self.listeners = 0
        self.well = False
        """Whether entries arrive by themselves; if not, followers ask the log every second."""
        self.audience: Audience | None = None
        self._entries: list[Entry] = []
        self._front: bytes | None = None
        """The place before the oldest entry here; None while nothing is known."""
        self._changed: asyncio.Event | None = None
        self._confirmed: asyncio.Event | None = None

    @property
    def end(self) -> Cursor | None:
        """The newest place; None while nothing is known."""
        end = self._end
        return None if end is None else Cursor.read(end)

    def push(self, announced: Sequence[Announced], at: float) -> None:
        """Take entries that were announced; those that follow each other are given to the audience at once. `at` is
        the event loop's time."""
        run: list[Entry] = []
        start = end = self._end
        for before, entry in announced:
            if before != end:  # some were missed, or the log was rewritten: followers read it
                self._give(start, run, at)
                self._forget()
                start, run = before, []
                self._front = before
            self._entries.append(entry)
            run.append(entry)
            end = entry.place
        self._give(start, run, at)
        self._trim()
        self.wake()

    def learn(self, place: Cursor, following: list[Entry], seen: int) -> None:
        """Take what a follower read: all that the log holds after the place, if nothing was announced since the
        version `seen`, which was taken before. The next follower there need not read."""
        if self._front is None and self.well and self.version == seen:
            self._front = place.written
            self._entries = list(following)
            self._trim()

    def forget(self) -> None:
        """Drop everything, after a reconnect that may have missed entries."""
        self._forget()
        self.wake()

    def since(self, cursor: Cursor) -> list[Entry] | None:
        """The entries after the cursor, or None if the tail does not hold that place."""
        if self._front is None:
            return None
        offset = cursor.seq - Cursor.read(self._front).seq
        if not 0 <= offset <= len(self._entries):
            return None
        held = self._front if offset == 0 else self._entries[offset - 1].place
        return self._entries[offset:] if held == cursor.written else None

    def confirm(self) -> None:
        """From here on entries arrive by themselves; what came before may be anything."""
        self.forget()
        self.well = True
        if self._confirmed is not None:
            self._confirmed.set()
            self._confirmed = None

    def fail(self) -> None:
        """Entries arrive no more."""
        if self.well:
            self.well = False
            self.forget()

    async def confirmed(self, within: float) -> None:
        """Wait until entries arrive by themselves, or the time, in seconds, has run out."""
        if not self.well:
            self._confirmed = self._confirmed or asyncio.Event()
            await _happens(self._confirmed, within)

    async def changed(self, seen: int, within: float) -> bool:
        """Wait until the version differs from the one seen; False if the time, in seconds, ran out."""
        if self.version != seen:
            return True
        self._changed = self._changed or asyncio.Event()
        return await _happens(self._changed, within)

    def wake(self) -> None:
        """Let every follower look again."""
        self.version += 1
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    @property
    def _end(self) -> bytes | None:
        return self._entries[-1].place if self._entries else self._front

    def _give(self, before: bytes | None, entries: list[Entry], at: float) -> None:
        if entries and before is not None and self.audience is not None:
            self.audience.hear(before, entries, at)

    def _forget(self) -> None:
        end = self.end
        self._entries = []
        self._front = None
        if end is not None and self.audience is not None:
            self.audience.lose(end)

    def _trim(self) -> None:
        if len(self._entries) > 2 * TAIL_ENTRIES:
            self._front = self._entries[-TAIL_ENTRIES - 1].place
            self._entries = self._entries[-TAIL_ENTRIES:]


async def _happens(event: asyncio.Event, within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            await event.wait()
    except TimeoutError:
        return False
    return True
