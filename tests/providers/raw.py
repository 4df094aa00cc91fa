"""A server that says exactly the bytes it is told to, whatever it is asked."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

WAIT_SECONDS = 10.0

PING_SECONDS = 0.05

Then = Literal["keep", "close", "stall"]


@dataclass(frozen=True)
class Reply:
    """The bytes of a whole HTTP response, and what becomes of the connection: kept for the next request, closed, or
    left open without a further word. Between `data` and `late` come so many empty lines, one at a time."""

    data: bytes
    then: Then = "keep"
    pings: int = 0
    late: bytes = b""


def reply(
    body: bytes,
    *,
    status: str = "200 OK",
    headers: str = "content-type: text/event-stream\r\n",
    chunk_bytes: int | None = None,
    pings: int = 0,
    late: bytes = b"",
    ended: bool = True,
    then: Then = "keep",
) -> Reply:
    """A response whose body is sent in HTTP chunks of a size, which reach the SDK one by one; `ended` False leaves
    out the last one."""
    head = f"HTTP/1.1 {status}\r\n{headers}transfer-encoding: chunked\r\n\r\n".encode()
    size = chunk_bytes or len(body) or 1
    chunks = b"".join(_chunk(body[start : start + size]) for start in range(0, len(body), size))
    end = (_chunk(late) if late else b"") + (_chunk(b"") if ended else b"")
    return Reply(head + chunks, then, pings, end)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@dataclass(frozen=True)
class Received:
    """A request: its first line with its headers, and its body."""

    head: str
    body: bytes


class RawServer:
    """What it was asked, and how many connections it has."""

    def __init__(self, said: Reply) -> None:
        self.said = said
        self.received: list[Received] = []
        self.connections = 0
        self.url = ""
        self._open: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Condition()

    async def all_connections_closed(self) -> None:
        """Returns once no connection is open."""
        async with asyncio.timeout(WAIT_SECONDS), self._changed:
            await self._changed.wait_for(lambda: not self._open)

    async def close(self) -> None:
        """Hang up on everybody."""
        for writer in self._open:
            writer.close()
        await self.all_connections_closed()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk over one connection until either side closes it."""
        self.connections += 1
        self._open.add(writer)
        try:
            await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client left
        finally:
            writer.close()
            async with self._changed:
                self._open.remove(writer)
                self._changed.notify_all()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept = True
        while kept:
            self.received.append(await _receive(reader))
            writer.write(self.said.data)
            for _ in range(self.said.pings):
                await asyncio.sleep(PING_SECONDS)
                writer.write(_chunk(b"\n"))
                await writer.drain()
            writer.write(self.said.late)
            await writer.drain()
            kept = self.said.then == "keep"
        if self.said.then == "stall":
            await reader.read()


async def _receive(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    lengths = [line.partition(":")[2] for line in head.splitlines() if line.lower().startswith("content-length:")]
    return Received(head, await reader.readexactly(int(lengths[0]) if lengths else 0))


@asynccontextmanager
async def raw_server(said: Reply) -> AsyncGenerator[RawServer, None]:
    """A server on loopback that answers every request with the same reply."""
    raw = RawServer(said)
    async with await asyncio.start_server(raw.serve, "127.0.0.1", 0) as listener:
        host, port = listener.sockets[0].getsockname()
        raw.url = f"http://{host}:{port}"
        yield raw
        await raw.close()
