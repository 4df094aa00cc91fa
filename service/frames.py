"""Server-sent event frames, and the few events that a server says for itself."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

import orjson
from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jobs import clock
from jobs.model import JsonObject
from jobs.updates import Cursor, one_line
from service.outlet import Outlet
from service.wire import wire_of

RETRY = b"retry: 1000\n\n"

SLICE_BYTES = 64 * 1024
"""How much is handed to the socket at once: no more of a long snapshot waits in memory for a slow reader."""

SSE_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
CLOSE = (b"connection", b"close")


class Stream(Response):
    """A stream's answer. Where the server hands connections over, `begin` is given this one, and goes on by itself;
    everywhere else `body` is sent."""

    media_type = "text/event-stream"

    def __init__(self, body: AsyncGenerator[bytes, None], begin: Callable[[Outlet], None] | None = None) -> None:
        self._body = body
        self._begin = begin
        self.status_code = 200
        self.background = None
        self.init_headers(SSE_HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wire = wire_of(scope)
        if self._begin is None or wire.hand_over is None or scope["method"] == "HEAD":
            await _Portable(self._body, self.raw_headers)(scope, receive, send)
            return
        headers = [*self.raw_headers, CLOSE]  # nobody is left to take another request
        outlet = await wire.open_outlet(
            send, {"type": "http.response.start", "status": self.status_code, "headers": headers}
        )
        if outlet is not None:
            self._begin(outlet)


class _Portable(EventSourceResponse):
    """sse-starlette's response, which frees the socket of a reader that takes nothing: closing would wait for it."""

    def __init__(self, body: AsyncGenerator[bytes, None], headers: list[tuple[bytes, bytes]]) -> None:
        super().__init__(_in_slices(body), ping=0)  # our pings carry a cursor and come from the feed
        self.raw_headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wire = wire_of(scope)
        self.send_timeout = wire.send_seconds
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            wire.give_up()
            await asyncio.sleep(0)  # the server learns of it before we are done


async def _in_slices(body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(body):
        async for frame in body:
            for start in range(0, len(frame), SLICE_BYTES):
                yield frame[start : start + SLICE_BYTES]


def update(cursor: str, event: str, data: bytes) -> bytes:
    """An update: one line of JSON under its cursor."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (cursor.encode(), event.encode(), data)


def told(cursor: str, head: bytes, shared: memoryview, own: bytes) -> Iterator[bytes]:
    """A snapshot, whose data is these three: in one piece, or where it is long in pieces of which only one at a time
    is copied, since many may stand still in the middle of it."""
    front, back = b"id: %s\nevent: snapshot\ndata: %s" % (cursor.encode(), head), own + b"\n\n"
    if len(shared) <= SLICE_BYTES:
        yield b"".join((front, shared, back))
        return
    yield front
    for start in range(0, len(shared), SLICE_BYTES):
        yield bytes(shared[start : start + SLICE_BYTES])
    yield back


def remark(event: str, data: JsonObject) -> bytes:
    """What is no update and has no cursor: ping, bye, problem."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), one_line(orjson.dumps(data)))


def ping(cursor: Cursor) -> bytes:
    """`ping` to one of very many who are silent."""
    return b'event: ping\ndata: {"cursor":"%b","now":"%b"}\n\n' % (cursor.written, clock.now().encode())


def ping_data(cursor: str | None) -> JsonObject:
    """The data of a ping: the newest cursor, so that a lost last update is noticed."""
    return {"cursor": cursor, "now": clock.now()}


def farewell(reason: str) -> bytes:
    """`bye`; where a whole process stops, with a time to come back that is another for each listener, so that they
    don't all come at once. Whoever is sent away alone may come at once, before its credential ends."""
    spread = spread_retry() if reason == "shutdown" else b""
    return spread + remark("bye", {"reason": reason})


def spread_retry() -> bytes:
    """Between 1 and 10 s, by chance."""
    return b"retry: %d\n\n" % random.randint(1000, 10000)  # noqa: S311  # spreads load, guards nothing
