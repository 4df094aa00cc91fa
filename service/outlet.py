"""What is left of a connection whose answer goes on for long: bytes go out, and whatever comes in is dropped."""

import asyncio
from collections.abc import Callable
from typing import Any

from service.flow import Flow

LAST_CHUNK = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """The data as HTTP/1.1 wraps it where no length was announced."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Outlet(Flow, asyncio.Protocol):
    """The protocol of such a connection: request, parser and task are gone.

    It stands in the server's set of connections, which counts it, and which tells it to stop."""

    __slots__ = ("_calls", "_connections", "_ended", "_transport", "chunked")

    def __init__(
        self, transport: asyncio.Transport, connections: set[Any], *, chunked: bool, send_seconds: float
    ) -> None:
        super().__init__(send_seconds=send_seconds)
        self._transport = transport
        self._connections = connections
        self._calls: tuple[Callable[[], None], ...] = ()
        self._ended = False
        self.chunked = chunked
        self.write = transport.write
        connections.add(self)

    @property
    def ended(self) -> bool:
        return self._ended

    def send(self, data: bytes) -> None:
        """Write some of the answer's body."""
        self.write(chunk(data) if self.chunked else data)

    def finish(self) -> None:
        """End the answer, and with it the connection."""
        if not self._ended:
            self._ended = True
            if self.chunked:
                self.write(LAST_CHUNK)
            self._close()

    def abort(self) -> None:
        self._ended = True
        self._transport.abort()

    def when_over(self, call: Callable[[], None]) -> None:
        """Have this called when the connection is gone."""
        self._calls = (*self._calls, call)

    def shutdown(self) -> None:
        """The server stops; whoever holds the outlet says farewell, and finishes."""

    def data_received(self, data: bytes) -> None:
        """Whatever it is, nobody here can answer it: the head said that the connection closes."""

    def eof_received(self) -> None:
        self._ended = True
        self._close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # gone is gone
        self._ended = True
        self._connections.discard(self)
        self.lose()
        for call in self._calls:
            call()

    def _close(self) -> None:
        """Close behind what waits to be written, and not wait for that for ever."""
        self._transport.close()
        self._expect_progress()
