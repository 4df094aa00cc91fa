"""Servers on loopback that treat a stream as networks do: one cuts what passes, one says what a test wrote down."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Wire:
    """Where it is reached, and the requests that came, as they were."""

    url: str = ""
    requests: list[str] = field(default_factory=list)

    @property
    def cursors(self) -> list[str | None]:
        """The Last-Event-ID of each request."""
        return self.headers("last-event-id")

    @property
    def lines(self) -> list[str]:
        """The first line of each request."""
        return [request.partition("\r\n")[0] for request in self.requests]

    def headers(self, name: str) -> list[str | None]:
        """This header of each request."""
        return [_header(request, name) for request in self.requests]


@asynccontextmanager
async def cutting(url: str, *frames: int) -> AsyncIterator[Wire]:
    """A way to the server at `url` that breaks the nth connection after so many frames; later ones are left whole."""
    target, wire = urlsplit(url), Wire()

    async def pass_on(reader: StreamReader, writer: StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        wire.requests.append(request.decode())
        answer, server = await asyncio.open_connection(target.hostname, target.port)
        server.write(request.replace(b"Connection: keep-alive", b"Connection: close"))
        if len(wire.requests) > len(frames):
            writer.write(await answer.read())
        else:
            for _ in range(frames[len(wire.requests) - 1]):
                writer.write(await answer.readuntil(b"\n\n"))
            writer.write(await answer.readexactly(20))  # of the next frame
        await writer.drain()
        server.transport.abort()

    async with _serving(wire, pass_on):
        yield wire


@asynccontextmanager
async def saying(*answers: str, stays: bool = False) -> AsyncIterator[Wire]:
    """A server that gives the nth connection the nth answer and closes it; later ones get the last answer."""
    wire = Wire()

    async def answer(reader: StreamReader, writer: StreamWriter) -> None:
        wire.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answers[min(len(wire.requests), len(answers)) - 1].encode())
        if stays:
            await reader.read()

    async with _serving(wire, answer):
        yield wire


@asynccontextmanager
async def hanging(*answers: str) -> AsyncIterator[Wire]:
    """The same, but it leaves each connection as it is, without another word."""
    async with saying(*answers, stays=True) as wire:
        yield wire


@asynccontextmanager
async def silence() -> AsyncIterator[str]:
    """Where a server takes connections and says nothing."""
    async with _serving(wire := Wire(), lambda reader, _: reader.read()):
        yield wire.url


def stream(*frames: str) -> str:
    """The answer that is a stream of these frames, which asks to be called again at once."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    return head + "".join(f"{frame}\n\n" for frame in ("retry: 0", *frames))


def answered(status: str, body: str, *headers: str) -> str:
    """The answer that is this body, and no stream."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", body])


@asynccontextmanager
async def _serving(
    wire: Wire, answer: Callable[[StreamReader, StreamWriter], Awaitable[object]]
) -> AsyncIterator[None]:
    async def close(reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server:
        wire.url = "http://{}:{}".format(*server.sockets[0].getsockname())
        yield


def _header(request: str, name: str) -> str | None:
    for line in request.split("\r\n"):
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return None
