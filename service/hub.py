"""Which jobs are followed in this process: one subscription for all of them, and a tail for each."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from redis.exceptions import RedisError

from jobs import keys
from jobs.log import announced
from jobs.model import JobId
from service.subscription import Hear, Reply, Subscription
from service.tail import Announced, Tail

CONFIRM_SECONDS = 1.0
"""How long a follower waits for its subscription; without it, the log is asked every second."""

CHECK_SECONDS = 2.0
"""How often a quiet subscription is asked whether it still lives, and how long its answer may take."""

PAUSE_SECONDS = 0.2

log = structlog.get_logger(__name__)

Open = Callable[[JobId, bytes], Announced | None]
"""What makes of a channel's message the entry that it announces; None where that is to be read from the log."""


class Hub:
    """One subscription to the store, shared by all followers of all jobs in this process."""

    def __init__(
        self,
        subscribe: Callable[[Hear], AbstractAsyncContextManager[Subscription]],
        open_message: Open = lambda _, message: announced(message),
    ) -> None:
        self._subscribe = subscribe
        self._open_message = open_message
        self._line: Subscription | None = None
        self._heard = 0
        self._tails: dict[JobId, Tail] = {}
        self._channels: dict[bytes, Tail] = {}
        self._touched: set[bytes] = set()
        """Channels whose first listener came, or whose last one left, since the store was told."""
        self._version = 0
        """Above those of all tails that are gone: what was read under one of them is not taken for newer."""

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
        tail = self.enter(job_id)
        try:
            await tail.confirmed(CONFIRM_SECONDS)
            yield tail
        finally:
            self.leave(tail)

    def enter(self, job_id: JobId) -> Tail:
        """The job's tail, perhaps not confirmed yet; to be left again."""
        tail = self._tails.get(job_id) or self._open(job_id)
        tail.listeners += 1
        return tail

    def leave(self, tail: Tail) -> None:
        """Count one listener less; after the last one the job is followed no more."""
        tail.listeners -= 1
        if not tail.listeners:
            self._close(tail)

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
                async with self._subscribe(self._hear) as line:
                    self._line = line
                    self._touch(*self._channels)
                    reason = await self._until_lost(line)
            except (RedisError, OSError) as error:
                reason = type(error).__name__
            finally:
                self._line = None
                self._fail_all()
            log.warning("subscription lost, trying again", reason=reason)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _until_lost(self, line: Subscription) -> str:
        """Why the subscription is of no more use; one that died without a word is found by asking it."""
        heard = -1
        while heard != self._heard:
            heard = self._heard
            line.ping()
            await asyncio.wait({line.lost}, timeout=CHECK_SECONDS)
            if line.lost.done():
                return line.lost.result()
        return "silent"

    def _hear(self, replies: list[Reply]) -> None:
        """Take what one look at the socket brought; the messages of one channel together."""
        self._heard += 1
        now = asyncio.get_running_loop().time()
        found: dict[Tail, list[Announced]] = {}
        for reply in replies:
            if (tail := self._channels.get(reply[1])) is None:
                continue
            if reply[0] == b"message":
                announced = self._open_message(tail.job_id, reply[2]) if reply[2] else None
                if announced is not None:
                    found.setdefault(tail, []).append(announced)
                    continue
            elif reply[0] != b"subscribe":
                continue
            found.pop(tail, None)  # its followers will ask the log for what came before, too
            if reply[0] == b"subscribe":
                tail.confirm()
            else:  # not to be opened, or empty: the job was deleted, which its followers find out
                tail.forget()
        for tail, told in found.items():
            tail.push(told, now)

    def _fail_all(self) -> None:
        for tail in list(self._tails.values()):
            tail.fail()

    def _open(self, job_id: JobId) -> Tail:
        tail = self._tails[job_id] = Tail(job_id, version=self._version)
        channel = keys.channel(job_id).encode()
        self._channels[channel] = tail
        self._touch(channel)
        return tail

    def _close(self, tail: Tail) -> None:
        self._version = max(self._version, tail.version + 1)
        del self._tails[tail.job_id]
        channel = keys.channel(tail.job_id).encode()
        del self._channels[channel]
        self._touch(channel)

    def _touch(self, *channels: bytes) -> None:
        """Let the store know soon: listeners come and go without sending."""
        if self._line is None:
            return
        if not self._touched:
            asyncio.get_running_loop().call_soon(self._send_touched)
        self._touched.update(channels)

    def _send_touched(self) -> None:
        touched, self._touched = self._touched, set()
        if self._line is None:
            return
        followed = touched & self._channels.keys()
        if followed:
            self._line.subscribe(*followed)
        if left := touched - followed:
            self._line.unsubscribe(*left)
