"""A way to the service on which connections break, and streams are held up; each connection carries one request."""

import asyncio
import random
from asyncio import StreamReader, StreamWriter
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\nConnection: close\r\n\r\nBlocked"
CHUNK_BYTES = 4096
FIRST_BYTES = 40
"""Less than the first event of a stream, and more than what asks for a pause before the next one."""


class Streams(Enum):
    """What becomes of server-sent events on the way."""

    PASS = "handed on"
    REFUSED = "refused"
    BUFFERED = "buffered to their end"
    HEADERS_ONLY = "buffered behind their headers"
    FIRST_BYTES = "buffered behind their first bytes"


@dataclass(frozen=True)
class Fate:
    """How one connection breaks: after so many bytes of the answer, by a reset or as if all had been said."""

    after: int
    resets: bool


def fates(seed: int, *, longest: int = 8_000) -> Iterator[Fate]:
    """What befalls one connection after the other, always the same for a seed."""
    chance = random.Random(seed)  # a storm must be able to happen again
    while True:
        most = chance.choice([0, 400, 2_000, longest, longest])
        yield Fate(chance.randint(0, most), chance.random() < 0.5)


@dataclass
class Proxy:
    """Where it is reached, and what passed through it."""

    target: str
    fates: Iterator[Fate] | None = None
    streams: Streams = Streams.PASS
    url: str = ""
    requests: list[str] = field(default_factory=list)
    """The first line of each."""

    cuts: Counter[str] = field(default_factory=Counter)
    """How many connections broke, by the method and the last word of the path."""

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, to its end."""
        with suppress(OSError, EOFError):
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        head, body = await _request(reader)
        first = head.partition("\r\n")[0]
        self.requests.append(first)
        held_up = self.streams if "/stream" in first else Streams.PASS
        if held_up is Streams.REFUSED:
            writer.write(REFUSAL)
            return
        place = urlsplit(self.target)
        answer, server = await asyncio.open_connection(place.hostname, place.port)
        server.write(head.replace("Connection: keep-alive", "Connection: close").encode() + body)
        more = asyncio.create_task(_pump(reader, server))  # a WebSocket's client has more to say
        try:
            await self._hand_over(answer, writer, held_up, _name(first))
        finally:
            more.cancel()
            await asyncio.wait([more])
            server.transport.abort()

    async def _hand_over(self, answer: StreamReader, writer: StreamWriter, held_up: Streams, name: str) -> None:
        if held_up in (Streams.HEADERS_ONLY, Streams.FIRST_BYTES):
            writer.write(await answer.readuntil(b"\r\n\r\n"))
        if held_up is Streams.FIRST_BYTES:
            writer.write(await answer.readexactly(FIRST_BYTES))
        if held_up is not Streams.PASS:
            writer.write(await answer.read())
            return
        fate = next(self.fates) if self.fates else None
        left = fate.after if fate else None
        while left != 0 and (chunk := await answer.read(CHUNK_BYTES if left is None else min(left, CHUNK_BYTES))):
            writer.write(chunk)
            await writer.drain()
            left = None if left is None else left - len(chunk)
        if fate and left == 0:
            self.cuts[name] += 1
            if fate.resets:
                writer.transport.abort()


async def _request(reader: StreamReader) -> tuple[str, bytes]:
    """The head of a request, and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    lengths = [line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
    return head, await reader.readexactly(int(lengths[0]) if lengths else 0)


async def _pump(reader: StreamReader, server: StreamWriter) -> None:
    while chunk := await reader.read(CHUNK_BYTES):
        server.write(chunk)
        await server.drain()


def _name(first: str) -> str:
    method, path, _ = first.split(" ")
    last = path.partition("?")[0].rpartition("/")[2]
    return f"{method} {last if last in {'stream', 'token', 'jobs'} else 'job'}"


@asynccontextmanager
async def open_proxy(target: str, **settings: object) -> AsyncIterator[Proxy]:
    """A proxy before the service; its connections end with the block."""
    proxy = Proxy(target, **settings)  # type: ignore[arg-type]
    connections: set[asyncio.Task[None]] = set()

    def serve(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.create_task(proxy.serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.url = "http://{}:{}".format(*server.sockets[0].getsockname())
    try:
        yield proxy
    finally:
        server.close()
        for connection in [*connections]:
            connection.cancel()
        if connections:
            await asyncio.wait(connections)
