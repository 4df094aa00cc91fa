"""Clients that are written to without a server: each takes bytes at its own pace, and checks all that it is told."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import cast

from jobs.updates import Cursor, Entry
from service.audience import Batch
from service.delivery import Delivery
from service.feed import PING_SECONDS, Bounds, Bye, Gone, Item, Quiet, Told
from service.outlet import Outlet
from service.reader import Reader
from service.subscription import Hear, Reply, Subscription
from tests.service.unreliable import JOB, FakeStore

FOR_EVER = Bounds(float("inf"), Bye("rotate"))
LIMIT = 40
"""How many bytes a client lets wait before it says that it takes no more."""

SEND_SECONDS = 30.0


class ClumsyStore(FakeStore):
    """A store of which one look at the socket may bring several messages."""

    @asynccontextmanager
    async def subscribe(self, hear: Hear) -> AsyncIterator[Subscription]:
        loop, waiting = asyncio.get_running_loop(), list[Reply]()

        def flush() -> None:
            replies = waiting[:]
            waiting.clear()
            hear(replies)

        def gather(replies: list[Reply]) -> None:
            if not waiting:
                loop.call_later(self.random.choice([0.0, 0.01, 0.5]), flush)
            waiting.extend(replies)

        async with super().subscribe(gather) as line:
            try:
                yield line
            finally:
                waiting.clear()


class Pipe:
    """A transport whose client takes what waits now and then: at once where `slow` is 0, else within so long."""

    def __init__(self, client: "Client", *, slow: float) -> None:
        self.outlet = Outlet(cast(asyncio.Transport, self), set(), chunked=False, send_seconds=SEND_SECONDS)
        self._client = client
        self._slow = slow
        self._waiting: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self.closed = False
        self.lost = False

    def write(self, data: bytes) -> None:
        """What is written; a connection that was lost, and is not known to be yet, takes it in silence."""
        if self.lost:
            return
        assert not self.closed, "written after the end"
        assert not self.outlet.paused or data.startswith(b"bye"), "written to a client that takes nothing"
        self._waiting.append(data)
        if sum(map(len, self._waiting)) > LIMIT and self._slow and not self.outlet.paused:
            self.outlet.pause_writing()
        if len(self._waiting) == 1:
            self._loop.call_later(self._client.dice.uniform(0, self._slow), self._drain)

    def close(self) -> None:
        self.closed = True
        if not self._waiting:
            self._lose()

    def abort(self) -> None:
        self._waiting.clear()
        self.closed = True
        self._lose()

    def _drain(self) -> None:
        if self.lost:
            return
        taken, self._waiting = self._waiting, []
        for data in taken:
            self._client.take(data.decode())
        if self.closed:
            self._lose()
        elif self.outlet.paused:
            self.outlet.resume_writing()

    def _lose(self) -> None:
        if not self.lost:
            self.lost = True
            self._loop.call_soon(self._end)

    def _end(self) -> None:
        self.outlet.connection_lost(None)
        self._client.ended.set()


class Lines(Reader):
    """Says each thing as a line."""

    __slots__ = ()

    def said(self, batch: Batch) -> bytes:
        return b"".join(self.pieces(list(batch.entries)))

    def pieces(self, item: Item) -> Iterator[bytes]:
        match item:
            case list():
                yield b"".join(_line(entry) for entry in item)
            case Told(story=story, reason=reason):
                yield f"told {story.cursor_before_end} {reason}\n".encode()
            case Quiet(cursor=cursor):
                yield f"quiet {cursor}\n".encode()
            case Bye(reason=reason):
                yield f"bye {reason}\n".encode()
            case Gone():
                yield b"gone\n"


def _line(entry: Entry) -> bytes:
    return f"{entry.event} {entry.cursor}\n".encode()


class Client:
    """Somebody who follows to the last end, comes back where it was sent away, and now and then leaves by itself."""

    def __init__(self, store: FakeStore, *, after: Cursor | None, slow: float = 0.0, leaves: float = 0.0) -> None:
        self.place = after
        self.dice = store.random
        self.ended = asyncio.Event()
        self.said: list[str] = []
        self.gone = False
        self.longest_wait = self.longest_silence = 0.0
        self._store = store
        self._slow = slow
        self._leaves = leaves
        self._pipe: Pipe | None = None
        self._came_at = self._heard_at = 0.0

    async def follow(self, delivery: Delivery, bounds: Bounds = FOR_EVER) -> None:
        """Return at the end of the last run, or when the job is gone."""
        while not self.gone and (self.place is None or self.place != self._store.log.end):
            await self.listen(delivery, bounds)

    async def listen(self, delivery: Delivery, bounds: Bounds = FOR_EVER) -> None:
        """Return when the connection has ended, whoever ended it."""
        self.ended.clear()
        self._came_at = self._heard_at = _now()
        self._pipe = pipe = Pipe(self, slow=self._slow)
        pipe.outlet.holder = reader = Lines(delivery, pipe.outlet, JOB, bounds)
        delivery.begin(reader, self.place)
        await self.ended.wait()

    def leave(self) -> None:
        """Be gone without a word."""
        assert self._pipe
        self._pipe.abort()

    def take(self, text: str) -> None:
        """What came, line by line."""
        for line in text.splitlines():
            self.said.append(line)
            self._check(*line.split())
            self.longest_silence = max(self.longest_silence, _now() - self._heard_at)
            self._heard_at = _now()
        if self._store.happens(self._leaves):
            self.leave()

    def _check(self, what: str, *rest: str) -> None:
        log = self._store.log
        match what, *rest:
            case "told", place, reason:
                assert (reason == "initial") == (self.place is None)
                assert reason != "gap" or self.place not in log.held
                self.place = Cursor.parse(place)
            case "quiet", place:
                assert self.place == Cursor.parse(place)
            case "bye", _:
                pass
            case ("gone",):
                assert log.deleted
                self.gone = True
            case _, place:
                cursor = Cursor.parse(place)
                assert log.before[cursor] == self.place
                self.place = cursor
                self.longest_wait = max(self.longest_wait, _now() - max(log.written_at[cursor], self._came_at))


def _now() -> float:
    return asyncio.get_running_loop().time()


LONGEST_SILENCE = PING_SECONDS + 5
