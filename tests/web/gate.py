"""A proxy between client and service that lets some roads through, and holds back or refuses others."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from urllib.parse import urlsplit


class Road(Enum):
    """The ways of a client to its updates; all else that it asks is none."""

    STREAM = re.compile(rb"GET \S*/stream[ ?]")
    SOCKET = re.compile(rb"GET \S*/ws[ ?]")
    POLL = re.compile(rb"GET /v1/jobs/[^/? ]+[ ?]")


class Rule(Enum):
    """What befalls a request."""

    PASS = "passed on"
    REFUSE = "answered 502"
    BUFFER = "answered when the whole answer is there"


class Gate:
    """One request on each connection, by the rule of its road."""

    def __init__(self, target: str) -> None:
        self.url = ""
        self.rules: dict[Road, Rule] = {}
        self.taken: Counter[Road] = Counter()
        self.open: Counter[Road] = Counter()
        """How many requests there were by each road, and how many are under way."""
        self._target = urlsplit(target)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            road = next((road for road in Road if road.value.match(head)), None)
            if road is None:
                await self._pass(head, reader, writer, Rule.PASS)
                writer.close()
                return
            self.taken[road] += 1
            self.open[road] += 1
            try:
                await self._pass(head, reader, writer, self.rules.get(road, Rule.PASS))
            finally:
                self.open[road] -= 1
        writer.close()

    async def _pass(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rule: Rule
    ) -> None:
        if rule is Rule.REFUSE:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            return
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        back.write(re.sub(rb"(?i)connection: keep-alive", b"Connection: close", head))
        asking = asyncio.create_task(_hand_over(reader, back))
        answering = asyncio.create_task(_hand_over(there, writer, whole=rule is Rule.BUFFER))
        try:
            await asyncio.wait({asking, answering}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asking.cancel()
            answering.cancel()
            back.transport.abort()


async def _hand_over(source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, whole: bool = False) -> None:
    with suppress(OSError):
        if whole:
            sink.write(await source.read())
        while chunk := await source.read(65536):
            sink.write(chunk)
            await sink.drain()
        sink.write_eof()
        await sink.drain()


@asynccontextmanager
async def open_gate(target: str) -> AsyncIterator[Gate]:
    """A proxy before the service; its connections end with the block."""
    gate = Gate(target)
    connections: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(gate.serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    gate.url = f"http://{host}:{port}"
    try:
        yield gate
    finally:
        server.close()
        for connection in [*connections]:
            connection.cancel()
        if connections:
            await asyncio.wait(connections)
