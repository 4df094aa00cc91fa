"""HTTP by hand: bytes go out as they are, and what comes back is read to its end."""

import asyncio
from dataclasses import dataclass

PATIENCE_SECONDS = 10.0


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
