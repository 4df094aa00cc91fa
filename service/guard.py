"""uvicorn's protocols with a guard in front: slow, endless, ambiguous or stuck clients end here."""

import asyncio
import re
import socket
from typing import cast

from starlette.types import Message, Send
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from jobs.errors import JobError
from service.errors import HeadersTooLarge, MalformedRequest, RequestTimeout, TooManyConnections
from service.outlet import Outlet
from service.pipe import Pipe
from service.problems import problem_message
from service.wire import PATIENCE, Patience, Wire, extension
from service.witness import Unwatched, Witness

HEAD_BYTES = 16 * 1024
VERSIONS = ("1.0", "1.1")
HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
DEAD_PEER_MS = 30_000
"""How long what was sent may stay unacknowledged; then the kernel takes the peer for gone (RFC 5482)."""

UNSENT_BYTES = 128 * 1024
"""How much the kernel keeps for a peer beyond what is on its way; left alone, megabytes for one that is stuck."""

TOO_SLOW = 4408
LAST_SECONDS = 5.0
"""How long a WebSocket's reader that was too slow may still fetch what it is closed with."""


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's httptools protocol, with an end to every wait for the client."""

    patience: Patience = PATIENCE
    witness: Witness = Unwatched()
    most_connections: int | None = None
    hands_over = True
    """Whether a stream may have the connection for itself."""

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _unfinished_bytes = 0
    _in_head = True
    _begun = False
    """Whether the client is in the middle of a request."""

    _refusal: JobError | None = None
    _answering: RequestResponseCycle | None = None
    """The request that is being answered; uvicorn's `cycle` is the one that came last."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        _bound(transport)
        self._expect(self.patience.head_seconds)

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
        if self._waits_for_nothing():
            self._expect(self.patience.head_seconds)

    def handle_websocket_upgrade(self) -> None:
        self._expect(None)  # the connection has another protocol from here on
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._begun, self._head_bytes = True, True, 0
        self.scope["extensions"] = extension(self._wire())
        self._expect(self.patience.head_seconds)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        version = self.parser.get_http_version()
        if version not in VERSIONS:
            self._stop_parser(MalformedRequest("HTTP/1.1 is spoken here, and HTTP/1.0."))
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) > 1 or (not hosts and version == "1.1"):
            self._stop_parser(MalformedRequest("A request names its host once (RFC 9112)."))
        if not all(HOST.fullmatch(host) for host in hosts):
            self._stop_parser(MalformedRequest("A host is a name or an address, and perhaps a port."))
        if self.most_connections is not None and len(self.connections) > self.most_connections:
            self._stop_parser(TooManyConnections("This process has as many connections as it can; try another."))
        super().on_headers_complete()
        self._expect(self.patience.body_seconds)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def on_message_complete(self) -> None:
        self._begun = False
        self._expect(None)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # ours says more
        """Whatever stopped the parser, told as a problem."""
        self._refuse(self._refusal or MalformedRequest("The request is not HTTP as RFC 9112 has it."))

    def _wire(self) -> Wire:
        wire = Wire(self.patience.send_seconds, self.transport.abort)
        if self.hands_over:
            wire.hand_over = self._hand_over
        return wire

    async def _hand_over(self, send: Send, head: Message) -> Outlet | None:
        """End with this head, and leave the connection to whoever asked for it. Requests that wait behind this one
        are dropped: its head says that the connection closes."""
        cycle = self._answering
        assert cycle is not None  # noqa: S101  # it is who asks
        if cycle.scope["http_version"] == "1.0":
            cycle.chunked_encoding = False  # its body is all that comes until the connection closes
        await send(head)
        if cycle.disconnected or self.transport.is_closing():
            return None
        outlet = Outlet(
            self.transport,
            self.connections,
            chunked=bool(cycle.chunked_encoding),
            send_seconds=self.patience.send_seconds,
        )
        self._part(cycle)
        self.transport.set_protocol(outlet)
        if self.flow.write_paused:
            outlet.pause_writing()
        return outlet

    def _part(self, cycle: RequestResponseCycle) -> None:
        """Let go of the connection, and of all that only garbage collection would find."""
        self._expect(None)
        self._unset_keepalive_if_required()
        self.connections.discard(self)
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self.pipeline.clear()
        self._answering = self.cycle = self.parser = None  # type: ignore[assignment]  # as uvicorn does at its end
        cycle.disconnected = True  # so that uvicorn lets its request end without a last word
        cycle.message_event.set()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            self._stop_parser(HeadersTooLarge("The request line and headers may have 16 KiB."))

    def _stop_parser(self, refusal: JobError) -> None:
        self._refusal = refusal
        raise ValueError(refusal.code)  # the parser passes it on as an error of its own, which asks for the answer

    def _waits_for_nothing(self) -> bool:
        """Whether bytes came that began no request, and ended the wait for one: blank lines between two."""
        idle = self.cycle is None or self.cycle.response_complete
        return (
            idle
            and self._timer is None
            and self.timeout_keep_alive_task is None
            and not self.transport.is_closing()
            and self.transport.get_protocol() is self
        )

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
        elif not self._begun:
            self.transport.close()
        else:
            self._refuse(RequestTimeout("The request took too long to arrive."))

    def _refuse(self, error: JobError) -> None:
        self._refusal = self._refusal or error
        self.witness.refused(self._refusal.code)
        self._expect(None)
        if not self.transport.is_closing():
            self.transport.write(problem_message(error))
            self.transport.close()


class GuardedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, with an end for a reader that takes nothing."""

    patience: Patience = PATIENCE
    hands_over = True
    """Whether those who push may write beside the socket's task."""

    _pipe: Pipe | None = None

    async def run_asgi(self) -> None:
        wire = Wire(self.patience.send_seconds, self._give_up)
        if self.hands_over:
            wire.pipe = self._pipe = Pipe(
                self.transport.write,
                is_open=self._is_open,
                give_up=self._give_up,
                send_seconds=self.patience.send_seconds,
            )
        self.scope["extensions"] |= extension(wire)
        await super().run_asgi()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._pipe is not None:
            self._pipe.pause_writing()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._pipe is not None:
            self._pipe.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._pipe is not None:
            self._pipe.lose()

    def _is_open(self) -> bool:
        return self.conn.state is State.OPEN and not self.close_sent and not self.transport.is_closing()

    def _give_up(self) -> None:
        """Close behind all that waits to be sent, and not wait for that for long."""
        if not self.close_sent and not self.transport.is_closing():
            self.conn.send_close(TOO_SLOW)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self.transport.close()  # it may be closing by itself, as when a ping was not answered, and that has no end
        self.loop.call_later(LAST_SECONDS, self.transport.abort)


def _bound(transport: asyncio.Transport) -> None:
    """Let the kernel wait for the peer neither for ever nor with all that there is to send."""
    connection = cast("socket.socket | None", transport.get_extra_info("socket"))
    if connection is None or connection.family == socket.AF_UNIX:
        return
    for name, value in (("TCP_USER_TIMEOUT", DEAD_PEER_MS), ("TCP_NOTSENT_LOWAT", UNSENT_BYTES)):
        if hasattr(socket, name):  # not every system has both
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
