"""A way to the service, or to its store, on which connections break, crumble and fall silent."""

import asyncio
import socket
import struct
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import urlsplit

from tests.cuts.fates import Break, Fate, Side

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[], Awaitable[Streams]]

CRUMBS = 600
"""How many bytes of a crumbling connection go one by one."""

RESET_AT_ONCE = struct.pack("ii", 1, 0)
"""How a socket lingers that is closed with what it has not sent yet."""


class Proxy:
    """Hands bytes over in both directions, on each connection until its fate; without fates for ever."""

    def __init__(self, url: str, targets: Sequence[Dial], fates: Iterator[Fate] | None) -> None:
        self.url = url
        self.broken: Counter[Break] = Counter()
        self.connections = 0
        self._targets = targets
        self._fates = fates
        self._clients: list[Streams] = []
        self._open = asyncio.Event()
        self._open.set()

    @property
    def cuts(self) -> int:
        """How many connections were broken here."""
        return self.broken.total()

    def befall(self, fates: Iterator[Fate]) -> None:
        """Break every connection; those that come from now on have these fates."""
        self._fates = fates
        for streams in self._clients:
            _reset(streams)

    def calm_down(self) -> None:
        """Let the connections that come from now on live."""
        self._fates = None

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing gets through in either direction while the block runs, and nobody is told; then all of it does."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def serve(self, client: Streams) -> None:
        """One connection, to its end; to the next server in turn that takes it."""
        server = await self._dial()
        if server is None:
            _reset(client)
            return
        fate = next(self._fates) if self._fates else None
        there = self._hand_over(client, server, fate if fate and fate.side is Side.CLIENT else None)
        back = self._hand_over(server, client, fate if fate and fate.side is Side.SERVER else None)
        self._clients.append(client)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(there)
                tasks.create_task(back)
        except* OSError:
            pass  # one of the ends broke it
        finally:
            self._clients.remove(client)
            _reset(client)
            _reset(server)

    async def _dial(self) -> Streams | None:
        self.connections += 1
        for turn in range(len(self._targets)):
            with suppress(OSError):
                return await self._targets[(self.connections + turn) % len(self._targets)]()
        return None

    async def _hand_over(self, source: Streams, sink: Streams, fate: Fate | None) -> None:
        """What one side says, up to its end or to the fate."""
        (reader, _), (_, writer) = source, sink
        left = fate.after if fate else sys.maxsize
        crumbs = CRUMBS if fate and fate.crumbles else 0
        while chunk := await reader.read(65536):
            await self._open.wait()
            handed = chunk[:left]
            await _crumble(writer, handed[:crumbs])
            writer.write(handed[crumbs:])
            await writer.drain()
            crumbs = max(0, crumbs - len(handed))
            left -= len(handed)
            if fate and left == 0:
                self.broken[fate.how] += 1
                if fate.how is Break.RESET:
                    raise ConnectionResetError
                break
        writer.write_eof()


async def _crumble(writer: asyncio.StreamWriter, crumbs: bytes) -> None:
    for at in range(len(crumbs)):
        writer.write(crumbs[at : at + 1])
        await asyncio.sleep(0)  # whoever reads gets one byte at a time


def _reset(streams: Streams) -> None:
    _, writer = streams
    if (connection := writer.get_extra_info("socket")) is not None and not writer.transport.is_closing():
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
    writer.transport.abort()


def dial_http(url: str) -> Dial:
    """Connects to a server by its URL."""
    parts = urlsplit(url)
    return lambda: asyncio.open_connection(parts.hostname, parts.port)


def dial_store(url: str) -> Dial:
    """Connects to a store by its URL, which names a socket in the file system."""
    return lambda: asyncio.open_unix_connection(urlsplit(url).path)


@asynccontextmanager
async def open_proxy(
    *targets: Dial, fates: Iterator[Fate] | None = None, scheme: str = "http"
) -> AsyncIterator[Proxy]:
    """A proxy before the targets, in turn; its connections end with the block."""
    connections: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(proxy.serve((reader, writer)))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    proxy = Proxy(f"{scheme}://{host}:{port}", targets, fates)
    try:
        yield proxy
    finally:
        server.close()
        for connection in [*connections]:
            connection.cancel()
        if connections:
            await asyncio.wait(connections)
