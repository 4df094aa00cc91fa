"""The lookout: figures that are read once for all who watch them, and by nobody while nobody does."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import structlog

from jobs.errors import JobError
from jobs.model import JsonObject
from jobs.overview import Overview
from service.errors import TooManyStreams
from service.feed import Bounds, Bye, Feed
from service.witness import Transport

LOOK_SECONDS = 1.0
MOST_WATCHERS = 100

GRAIN_BYTES = 1024 * 1024
"""Memory goes up and down with each call; what is less than this is no news."""

STREAMS: Mapping[str, tuple[Transport, ...]] = {
    "sse": ("sse", "multiplexed", "dialect"),
    "websocket": ("websocket",),
    "long_poll": ("long-poll",),
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Figures:
    """What there is of everything, at one moment."""

    told: JsonObject


@dataclass(frozen=True)
class Silence:
    """Nothing new for a while."""


class Lookout:
    """Watches the store for whoever wants to know how it is; a watcher's whole state is what it was told last."""

    def __init__(self, overview: Overview, feed: Feed, listening: Mapping[Transport, int]) -> None:
        self._overview = overview
        self._feed = feed
        self._listening = listening
        self._newest: Figures | None = None
        self._news = asyncio.Event()
        self._wanted = asyncio.Event()
        self._watchers = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look out while the block runs, and anybody watches."""
        tasks = {asyncio.create_task(each) for each in (self._look_for_ever(), self._stop())}
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def look(self) -> JsonObject:
        """The figures of this moment: of the whole store, and of the streams of this process."""
        streams = {name: sum(self._listening[each] for each in spoken) for name, spoken in STREAMS.items()}
        return await self._overview.look() | {"streams": streams}

    @property
    def watchers(self) -> int:
        """How many watch."""
        return self._watchers

    def check_room(self) -> None:
        """TooManyStreams where as many watch as may."""
        if self._watchers >= MOST_WATCHERS:
            raise TooManyStreams("Close another page of the operator's view.")

    async def watch(self, bounds: Bounds) -> AsyncGenerator[Figures | Silence | Bye, None]:
        """The figures at once, and again whenever they have changed, until the bounds."""
        clock = asyncio.get_running_loop().time
        told, heard_at = None, clock()
        with self._watching():
            while True:
                news = self._news  # taken before looking, so no change slips by
                if farewell := self._feed.farewell(bounds):
                    yield farewell
                    return
                if self._newest is not told and self._newest is not None:
                    told, heard_at = self._newest, clock()
                    yield told
                    continue
                silent_at = heard_at + self._feed.ping_seconds
                if clock() >= silent_at:
                    heard_at = clock()
                    yield Silence()
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(min(silent_at, bounds.deadline)):
                        await news.wait()

    @contextmanager
    def _watching(self) -> Iterator[None]:
        if not self._watchers:
            self._newest = None  # it may be of yesterday
        self._watchers += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._watchers -= 1
            if not self._watchers:
                self._wanted.clear()

    async def _look_for_ever(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                seen = Figures(await self.look())
            except JobError as error:
                log.warning("the figures cannot be read, trying again", error=error.code)
            else:
                if self._newest is None or _gist(self._newest) != _gist(seen):
                    self._newest = seen
                    self._tell()
            await asyncio.sleep(LOOK_SECONDS)

    async def _stop(self) -> None:
        """Let all watchers hear that the process stops."""
        await self._feed.stopping.wait()
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


def _gist(figures: Figures) -> JsonObject:
    """What of the figures is news if it changes."""
    store = figures.told["store"]
    return figures.told | {"now": None, "store": store | {"memory_bytes": store["memory_bytes"] // GRAIN_BYTES}}
