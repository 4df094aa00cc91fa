"""The listeners of one job who have all heard the same: what comes next is written to all of them at once."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from jobs.updates import Cursor, Entry
from service.feed import Place, Quiet
from service.outlet import chunk
from service.tail import Tail

log = structlog.get_logger(__name__)


class Batch:
    """Entries that are told together: framed once, for all who are told."""

    __slots__ = ("_before", "_chunk", "_frames", "_others", "at", "entries", "last")

    def __init__(self, before: bytes, entries: list[Entry], at: float) -> None:
        self._before = before
        self.at = at
        """When it is told, on the event loop's clock."""
        self.entries = entries
        self.last = entries[-1].last
        """Whether a run ends with it."""
        self._frames: bytes | None = None
        self._chunk: bytes | None = None
        self._others: dict[str, bytes] | None = None

    @property
    def before(self) -> Cursor:
        """The place that it follows."""
        return Cursor.read(self._before)

    @property
    def frames(self) -> bytes:
        """The entries as server-sent events."""
        if self._frames is None:
            self._frames = b"".join([entry.frame for entry in self.entries])
        return self._frames

    @property
    def chunk(self) -> bytes:
        """The same as HTTP/1.1 wraps them."""
        if self._chunk is None:
            self._chunk = chunk(self.frames)
        return self._chunk

    def told_as(self, way: str, words: Callable[[list[Entry]], bytes]) -> bytes:
        """The entries in other words, which are found once for all who want them this way."""
        others = self._others = self._others or {}
        if way not in others:
            others[way] = words(self.entries)
        return others[way]


class Listener(Protocol):
    """Who is in an audience; it leaves by itself, and is asked to do nothing that would have to wait."""

    audience: "Audience | None"

    def take(self, batch: Batch) -> None:
        """Be told what follows all that was told."""

    def hush(self, quiet: Quiet) -> None:
        """Be told that there is nothing to tell."""

    def abort(self) -> None:
        """Be dropped."""

    def walk(self, place: Cursor) -> None:
        """Leave, and go on alone from that place."""


class Audience:
    """The listeners of one job who stand at the end of its tail. Where the tail loses its thread they are not `live`:
    they stand at `place`, until whoever walks on from there for all of them is at the tail's end again."""

    __slots__ = ("_lost", "_told", "heard_at", "listeners", "live", "place", "tail", "tick", "walker")

    def __init__(self, tail: Tail, lost: "Callable[[Audience], None]", told: Callable[[Entry], None]) -> None:
        self.tail = tail
        self.listeners: set[Listener] = set()
        self.live = False
        self.place: Cursor | None = None
        self.heard_at = 0.0
        self.walker: asyncio.Task[None] | None = None
        self.tick = 0
        self._lost = lost
        self._told = told
        tail.audience = self

    def admit(self, listener: Listener, place: Place) -> bool:
        """Take in a listener who has heard all up to that place; False where the others have not, or the tail does
        not end there."""
        if not self.at_end(place) or (self.listeners and not self.live):
            return False
        self.heard_at = min(self.heard_at, place.heard_at) if self.live else place.heard_at
        self.live = True
        self.listeners.add(listener)
        listener.audience = self
        return True

    def leave(self, listener: Listener) -> None:
        """Let a listener go."""
        self.listeners.discard(listener)
        listener.audience = None
        if not self.listeners:
            self.live = False
            if self.walker is not None:
                self.walker.cancel()

    def at_end(self, place: Place) -> bool:
        """Whether whatever follows that place will be announced here."""
        return self.tail.well and self.tail.end == place.cursor

    def hear(self, before: bytes, entries: Sequence[Entry], at: float) -> None:
        """What the tail was given."""
        if self.live:
            self.tell(before, entries, at)

    def lose(self, place: Cursor) -> None:
        """The tail knows no more what follows that place."""
        if self.live:
            self.live = False
            self.place = place
            self._lost(self)

    def tell(self, before: bytes, entries: Sequence[Entry], at: float) -> None:
        """Tell everybody, each run's end apart: some are told no more after it."""
        self.heard_at = at
        start = 0
        for count, entry in enumerate(entries, 1):
            if entry.last or count == len(entries):
                self._tell(Batch(before, list(entries[start:count]), at))
                start, before = count, entry.place
        self._told(entries[-1])

    def hush(self, place: Cursor, at: float) -> None:
        """Tell everybody that there is nothing to tell."""
        self.heard_at = at
        quiet = Quiet(place)
        for listener in tuple(self.listeners):
            listener.hush(quiet)

    def _tell(self, batch: Batch) -> None:
        for listener in tuple(self.listeners):
            try:
                listener.take(batch)
            except Exception as error:
                log.exception("a stream failed", error=type(error).__name__)
                listener.abort()
