"""HTTP by hand: bytes go out as they are, and what comes back is read to its end."""

import asyncio
from dataclasses import dataclass

from tests.system import SECRET

PATIENCE_SECONDS = 10.0
CLOSE = 0x8
HANDSHAKE = (
    b"GET /v1/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " + SECRET.encode() + b"\r\n\r\n"
)


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: the connection was closed without a word."""

    status: int
    headers: dict[str, str]
    body: bytes


async def exchange(url: str, message: bytes) -> Answer:
    """The answer to the message, whose sender then says nothing more; TimeoutError if there is no end to it."""
    host, _, port = url.removeprefix("http://").partition(":")
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            return read_answer(await _sent_and_read(reader, writer, message))
        finally:
            writer.transport.abort()


async def _sent_and_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> bytes:
    received = bytearray()
    try:
        writer.write(message)
        while chunk := await reader.read(65536):
            received += chunk
    except ConnectionError:  # refused while it was still being sent
        pass
    return bytes(received)


def read_answer(received: bytes) -> Answer:
    """The first answer among the bytes."""
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return Answer(int(status_line.split(" ")[1]) if status_line else 0, headers, body)


def spelled(method: str, path: str, headers: dict[str, str | bytes], body: bytes) -> bytes:
    """The request as it goes over the wire; the connection ends with its answer."""
    given = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(body)), **headers}
    lines = [f"{method} {path} HTTP/1.1".encode()]
    lines += [
        name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
        for name, value in given.items()
    ]
    return b"\r\n".join([*lines, b"", body])


async def closed_with(url: str, message: bytes) -> int:
    """The code that the server closes a WebSocket of many jobs with, once it is told this; 0: without one."""
    host, _, port = url.removeprefix("http://").partition(":")
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(HANDSHAKE)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(message)
            while (read := await _frame(reader))[0] != CLOSE:
                pass
            return int.from_bytes(read[1][:2], "big")
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0
        finally:
            writer.transport.abort()


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next frame's kind and payload; a server's is not masked."""
    first, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    elif size == 127:
        size = int.from_bytes(await reader.readexactly(8), "big")
    return first & 0xF, await reader.readexactly(size)
