"""Which jobs are followed in this process, and the newest entries of each: one subscription for all of them."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import islice

import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from jobs import keys
from jobs.connection import connect
from jobs.log import announced
from jobs.model import JobId
from jobs.updates import Cursor, Entry

TAIL_ENTRIES = 256
CONFIRM_SECONDS = 1.0
"""How long a follower waits for its subscription; without it, the log is asked every second."""

CHECK_SECONDS = 2.0
"""How often a quiet subscription is asked whether it still lives, and how long its answer may take."""

PAUSE_SECONDS = 0.2
_HELLO = keys.PREFIX + "hello"

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_subscription(url: str) -> AsyncIterator[PubSub]:
    """A subscription to nothing yet, on a connection of its own."""
    async with connect(url, most=1) as client:
        # With a time-out of its own redis-py sends under `wait_for`, which on Python 3.11 can swallow a cancel.
        client.connection_pool.connection_kwargs["socket_timeout"] = None
        async with client.pubsub() as subscription:
            yield subscription


class Tail:
    """The newest entries of one job, shared by everyone who follows it here."""

    def __init__(self, size: int = TAIL_ENTRIES, *, version: int = 0) -> None:
        self.version = version
        self.listeners = 0
        self.confirmed = asyncio.Event()
        self._entries: deque[Entry] = deque(maxlen=size)
        self._front: Cursor | None = None
        """The place before the oldest entry here; None while nothing is known."""
        self._changed = asyncio.Event()

    @property
    def well(self) -> bool:
        """Whether entries arrive by themselves; if not, followers ask the log every second."""
        return self.confirmed.is_set()

    def push(self, before: Cursor, entry: Entry) -> None:
        """Take the entry that was announced, and the cursor that it follows."""
        if (self._entries[-1].cursor if self._entries else self._front) != before:
            self._entries.clear()  # some were missed, or the log was rewritten: followers read it
            self._front = before
        self._append(entry)
        self.wake()

    def learn(self, place: Cursor, following: list[Entry], seen: int) -> None:
        """Take what a follower read: all that the log holds after the place, if nothing was announced since the
        version `seen`, which was taken before. The next follower there need not read."""
        if self._front is None and self.well and self.version == seen:
            self._front = place
            for entry in following:
                self._append(entry)

    def forget(self) -> None:
        """Drop everything, after a reconnect that may have missed entries."""
        self._entries.clear()
        self._front = None
        self.wake()

    def since(self, cursor: Cursor) -> list[Entry] | None:
        """The entries after the cursor, or None if the tail does not hold that place."""
        if self._front is None:
            return None
        offset = cursor.seq - self._front.seq
        if not 0 <= offset <= len(self._entries):
            return None
        held = self._front if offset == 0 else self._entries[offset - 1].cursor
        return list(islice(self._entries, offset, None)) if held == cursor else None

    async def changed(self, seen: int, within: float) -> bool:
        """Wait until the version differs from the one seen; False if the time, in seconds, ran out."""
        if self.version == seen:
            try:
                async with asyncio.timeout(within):
                    await self._changed.wait()
            except TimeoutError:
                return False
        return True

    def _append(self, entry: Entry) -> None:
        if len(self._entries) == self._entries.maxlen:
            self._front = self._entries[0].cursor
        self._entries.append(entry)

    def wake(self) -> None:
        """Let every listener look again."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()


class Hub:
    """One subscription to the store, shared by all followers of all jobs in this process."""

    def __init__(self, subscribe: Callable[[], AbstractAsyncContextManager[PubSub]]) -> None:
        self._subscribe = subscribe
        self._tails: dict[JobId, Tail] = {}
        self._channels: dict[bytes, JobId] = {}
        self._touched: set[bytes] = set()
        """Channels whose first listener came, or whose last one left, since the store was told."""
        self._touch = asyncio.Event()
        self._version = 0
        """Above those of all tails that are gone: what was read under one of them is not taken for newer."""
        self._heard = asyncio.Event()

    @property
    def followed(self) -> int:
        """How many jobs are followed here."""
        return len(self._tails)

    @property
    def listeners(self) -> int:
        """How many follow them, each job counted."""
        return sum(tail.listeners for tail in self._tails.values())

    @asynccontextmanager
    async def tail(self, job_id: JobId) -> AsyncIterator[Tail]:
        """The job's tail. Entered once its subscription is confirmed, or cannot be had in time."""
        tail = self._tails.get(job_id) or self._open(job_id)
        tail.listeners += 1
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CONFIRM_SECONDS):
                    await tail.confirmed.wait()
            yield tail
        finally:
            tail.listeners -= 1
            if not tail.listeners:
                self._close(job_id)

    def wake_all(self) -> None:
        """Let every follower of every job look again."""
        for tail in self._tails.values():
            tail.wake()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen to the store while the block runs, through every fault of it."""
        task = asyncio.create_task(self._listen_for_ever())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def _listen_for_ever(self) -> None:
        while True:
            try:
                async with self._subscribe() as subscription:
                    await self._listen(subscription)
            except* (RedisError, OSError, AttributeError) as errors:  # redis-py trips over what another task closed
                names = [type(error).__name__ for error in errors.exceptions]
                log.warning("subscription lost, trying again", errors=names)
            finally:
                self._forget_all()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self, subscription: PubSub) -> None:
        async with asyncio.timeout(CHECK_SECONDS):
            await subscription.subscribe(_HELLO)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._ask(subscription))
            tasks.create_task(self._check(subscription))
            async for message in _messages(subscription):
                self._heard.set()
                self._take(message)

    async def _ask(self, subscription: PubSub) -> None:
        """Subscribe what is followed, and let go of what no longer is: listeners come and go without sending."""
        self._touched = set(self._channels)
        while True:
            touched, self._touched = self._touched, set()
            followed = touched & self._channels.keys()
            if followed:
                await subscription.subscribe(*followed)
            if left := touched - followed:
                await subscription.unsubscribe(*left)
            await self._touch.wait()
            self._touch.clear()

    async def _check(self, subscription: PubSub) -> None:
        """A connection that died without a word is found by asking it."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._heard.clear()
            async with asyncio.timeout(CHECK_SECONDS):
                await subscription.ping()
                await self._heard.wait()

    def _take(self, message: dict[str, bytes]) -> None:
        job_id = self._channels.get(message["channel"])
        tail = self._tails.get(job_id) if job_id else None
        if tail is None:
            return
        match str(message["type"]):
            case "subscribe":
                tail.forget()
                tail.confirmed.set()
            case "message" if message["data"]:
                tail.push(*announced(message["data"]))
            case "message":
                tail.forget()  # the job was deleted: its followers find that out

    def _forget_all(self) -> None:
        for tail in self._tails.values():
            if tail.well:
                tail.confirmed.clear()
                tail.forget()

    def _open(self, job_id: JobId) -> Tail:
        tail = self._tails[job_id] = Tail(version=self._version)
        channel = keys.channel(job_id).encode()
        self._channels[channel] = job_id
        self._change(channel)
        return tail

    def _close(self, job_id: JobId) -> None:
        self._version = max(self._version, self._tails.pop(job_id).version + 1)
        channel = keys.channel(job_id).encode()
        del self._channels[channel]
        self._change(channel)

    def _change(self, channel: bytes) -> None:
        self._touched.add(channel)
        self._touch.set()


async def _messages(subscription: PubSub) -> AsyncIterator[dict[str, bytes]]:
    while True:
        message = await subscription.get_message(timeout=None)
        if message is not None:
            yield message
