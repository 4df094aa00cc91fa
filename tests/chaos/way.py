"""A way to the store that a test can watch, cut at any command, and close for a while."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from enum import Enum
from urllib.parse import urlsplit


class Moment(Enum):
    """Where a connection can be cut."""

    BEFORE = "the command has not reached the store"
    AFTER = "the store has done it, and the reply has not come back"


Judge = Callable[[Moment, bytes, bytes], bool]
"""Asked at each moment, with the command and, afterwards, its reply, whether the connection ends there."""


class Way:
    """Hands commands and replies over, one after the other on each connection, until its judge says no."""

    def __init__(self, store_url: str, url: str) -> None:
        self.url = url
        self.judge: Judge = lambda _moment, _command, _reply: False
        self._socket = urlsplit(store_url).path
        self._open = asyncio.Event()
        self._open.set()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Nothing gets through in either direction while the block runs, and nobody is told; then all of it does."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        with closing(back), suppress(asyncio.IncompleteReadError, ConnectionError):
            store, forth = await asyncio.open_unix_connection(self._socket)
            with closing(forth):
                while await self._hand_over(await _frame(client), store, forth, back):
                    pass

    async def _hand_over(
        self, command: bytes, store: asyncio.StreamReader, forth: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> bool:
        """Whether the connection lives on."""
        await self._open.wait()
        if self.judge(Moment.BEFORE, command, b""):
            return False
        forth.write(command)
        reply = await _frame(store)
        await self._open.wait()
        if self.judge(Moment.AFTER, command, reply):
            return False
        back.write(reply)
        return True


@asynccontextmanager
async def open_way(store_url: str) -> AsyncIterator[Way]:
    """A way to the store that is there until the block ends."""
    connections: set[asyncio.Task[None]] = set()

    def serve(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        connections.add(asyncio.create_task(way.serve(client, back)))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        way = Way(store_url, f"redis://{host}:{port}/0")
        yield way
    for connection in connections:
        connection.cancel()
    await asyncio.wait(connections)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One command or reply of the store's protocol (RESP2), as it came."""
    line = await reader.readuntil(b"\r\n")
    size = int(line[1:]) if line[:1] in (b"$", b"*") else -1
    if size < 0:
        return line
    if line[:1] == b"$":
        return line + await reader.readexactly(size + 2)
    return line + b"".join([await _frame(reader) for _ in range(size)])
