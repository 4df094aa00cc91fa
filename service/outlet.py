"""What is left of a connection whose answer goes on for long: bytes go out, and whatever comes in is dropped."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

LAST_CHUNK = b"0\r\n\r\n"


class Holder(Protocol):
    """Who writes to an outlet."""

    def resume(self) -> None:
        """The client has taken what waited for it."""

    def leave(self) -> None:
        """The client is gone."""


def chunk(data: bytes) -> bytes:
    """The data as HTTP/1.1 wraps it where no length was announced."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Outlet(asyncio.Protocol):
    """The protocol of such a connection: request, parser and task are gone.

    It stands in the server's set of connections, which counts it, and which tells it to stop."""

    __slots__ = (
        "_calls",
        "_connections",
        "_drained",
        "_loop",
        "_seconds",
        "_timer",
        "_transport",
        "chunked",
        "ended",
        "holder",
        "paused",
        "write",
    )

    def __init__(
        self, transport: asyncio.Transport, connections: set[Any], *, chunked: bool, send_seconds: float
    ) -> None:
        self._transport = transport
        self._connections = connections
        self._seconds = send_seconds
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[None] | None = None
        self._calls: tuple[Callable[[], None], ...] = ()
        self.chunked = chunked
        self.ended = False
        """Nothing more is to be written."""
        self.holder: Holder | None = None
        self.paused = False
        """The client takes nothing just now: whoever writes all the same fills our memory."""
        self.write = transport.write
        connections.add(self)

    def send(self, data: bytes) -> None:
        """Write some of the answer's body."""
        self.write(chunk(data) if self.chunked else data)

    async def drained(self) -> None:
        """Return when the client takes more, or is gone."""
        if self.paused:
            self._drained = self._drained or self._loop.create_future()
            await asyncio.wait({self._drained})

    def finish(self) -> None:
        """End the answer, and with it the connection."""
        if not self.ended:
            self.ended = True
            if self.chunked:
                self.write(LAST_CHUNK)
            self._close()

    def abort(self) -> None:
        """Drop the connection, and what waits to be written."""
        self.ended = True
        self._transport.abort()

    def when_over(self, call: Callable[[], None]) -> None:
        """Have this called when the connection is gone."""
        self._calls = (*self._calls, call)

    def shutdown(self) -> None:
        """The server stops; whoever holds the outlet says farewell, and finishes."""

    def data_received(self, data: bytes) -> None:
        """Whatever it is, nobody here can answer it: the head said that the connection closes."""

    def eof_received(self) -> None:
        self.ended = True
        self._close()

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

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # gone is gone
        self.ended = True
        self._connections.discard(self)
        self._forget_timer()
        self._wake()
        holder, self.holder, calls = self.holder, None, self._calls
        if holder is not None:
            holder.leave()
        for call in calls:
            call()

    def _close(self) -> None:
        """Close behind what waits to be written, and not wait for that for ever."""
        self._transport.close()
        self._expect_progress()

    def _wake(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    def _expect_progress(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._transport.abort)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
