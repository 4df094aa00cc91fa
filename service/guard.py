"""The HTTP protocol with a guard in front: slow, endless or ambiguous requests end here, before the application."""

import asyncio
import socket
from collections.abc import MutableMapping
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import HeadersTooLarge, MalformedRequest, RequestTimeout
from service.problems import problem_message

HEAD_SECONDS = 10.0
"""How long a request line and its headers may take; so long, too, may a new connection say nothing."""

BODY_SECONDS = 30.0
HEAD_BYTES = 16 * 1024
DEAD_PEER_MS = 30_000
"""How long what was sent may stay unacknowledged; then the kernel takes the peer for gone (RFC 5482)."""

ABORT = "jobstream.abort"
"""The extension of the ASGI scope that frees the socket at once: closing would wait for a reader that is stuck."""


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's httptools protocol, with an end to every wait for the client."""

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _unfinished_bytes = 0
    _in_head = True
    _refusal: MalformedRequest | HeadersTooLarge | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        _forget_dead_peers(transport)
        self._expect(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a head that is not complete after 16 KiB is refused, also within one endless line."""
        fed_to_head = len(data) if self._in_head else 0
        super().data_received(data)
        self._unfinished_bytes = self._unfinished_bytes + fed_to_head if self._in_head else 0
        if self._unfinished_bytes > HEAD_BYTES and self._refusal is None:
            self._refuse(HeadersTooLarge("The request line and headers may have 16 KiB."))

    def handle_websocket_upgrade(self) -> None:
        self._expect(None)  # the connection has another protocol from here on
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self.scope["extensions"] = {ABORT: {"abort": self.transport.abort}}
        self._expect(HEAD_SECONDS)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self._refusal = MalformedRequest("A request names its host once (RFC 9112).")
            raise ValueError("host")  # stops the parser, which asks for the answer
        super().on_headers_complete()
        self._expect(BODY_SECONDS)

    def on_message_complete(self) -> None:
        self._expect(None)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # ours says more
        """Whatever stopped the parser, told as a problem."""
        self._refuse(self._refusal or MalformedRequest("The request is not HTTP as RFC 9112 has it."))

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            self._refusal = HeadersTooLarge("The request line and headers may have 16 KiB.")
            raise ValueError("head")  # stops the parser, which asks for the answer

    def _expect(self, seconds: float | None) -> None:
        """What the client is doing must be done in this time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None:
            self._timer = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()
        elif self._in_head and not self._unfinished_bytes:
            self.transport.close()
        else:
            self._refuse(RequestTimeout("The request took too long to arrive."))

    def _refuse(self, error: MalformedRequest | HeadersTooLarge | RequestTimeout) -> None:
        self._refusal = self._refusal or MalformedRequest()
        self._expect(None)
        if not self.transport.is_closing():
            self.transport.write(problem_message(error))
            self.transport.close()


def abort(scope: MutableMapping[str, Any]) -> None:
    """Free the connection's socket at once, where the server is ours; others close it in their own time."""
    extension = scope.get("extensions", {}).get(ABORT)
    if extension is not None:
        extension["abort"]()


def _forget_dead_peers(transport: asyncio.Transport) -> None:
    connection = cast("socket.socket | None", transport.get_extra_info("socket"))
    if connection is not None and connection.family != socket.AF_UNIX and hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
