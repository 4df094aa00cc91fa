"""How a connection's client takes what it is sent: whoever writes has to know when to wait, and waits for so long."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import Protocol


class Holder(Protocol):
    """Who writes to a connection."""

    def resume(self) -> None:
        """The client has taken what waited for it."""

    def leave(self) -> None:
        """The client is gone."""


class Flow:
    """The writing side of a connection; a client that takes nothing for `send_seconds` is dropped."""

    __slots__ = ("_drained", "_loop", "_seconds", "_timer", "holder", "paused", "write")

    write: Callable[[bytes], None]

    def __init__(self, *, send_seconds: float) -> None:
        self._seconds = send_seconds
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None
        self.holder: Holder | None = None
        self.paused = False
        """The client takes nothing just now: whoever writes all the same fills our memory."""

    @property
    @abstractmethod
    def ended(self) -> bool:
        """Nothing more is to be written."""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Write something whole."""

    @abstractmethod
    def finish(self) -> None:
        """End what is said here."""

    @abstractmethod
    def abort(self) -> None:
        """Drop the connection, and what waits to be written."""

    async def drained(self) -> None:
        """Return when the client takes more, or is gone."""
        while self.paused:  # again, where others have waited too, and were quicker to fill it
            self._drained = self._drained or self._loop.create_future()
            await asyncio.wait({self._drained})

    def pause_writing(self) -> None:
        self.paused = True
        self._expect_progress()

    def resume_writing(self) -> None:
        self.paused = False
        if self.ended:
            return
        self._forget_timer()
        self._wake()
        if self.holder is not None:
            self.holder.resume()

    def lose(self) -> None:
        """The client is gone."""
        self.paused = False
        self._forget_timer()
        self._wake()
        holder, self.holder = self.holder, None
        if holder is not None:
            holder.leave()

    def _wake(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def _expect_progress(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self.abort)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
