"""A client on bare sockets: where few cores are shared, the time of a client library would count as the service's."""

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing
from urllib.parse import urlsplit

from jobstream.client.fold import JsonObject
from jobstream.client.sse import Event, EventParser
from jobstream.product import Product

CHUNK_BYTES = 65536


@asynccontextmanager
async def open_connection(product: Product) -> AsyncIterator["Connection"]:
    """A connection that is ready for its request."""
    address = urlsplit(product.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    with closing(writer):
        yield Connection(reader, writer, f"Host: {address.netloc}\r\nAuthorization: Bearer {product.secret}\r\n")


class Connection:
    """Takes one request; the answer ends with the connection, as HTTP/1.0 has it."""

    def __init__(self, reader: StreamReader, writer: StreamWriter, headers: str) -> None:
        self._reader = reader
        self._writer = writer
        self._headers = headers

    async def submit(self, message: str) -> JsonObject:
        """The snapshot of a chat that was accepted."""
        body = json.dumps({"kind": "chat", "input": {"message": message}})
        about = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        await self._ask(f"POST /v1/jobs HTTP/1.0\r\n{self._headers}{about}\r\n{body}")
        job: JsonObject = json.loads(await self._reader.read())
        return job

    async def listen(self, job_id: str) -> AsyncGenerator[Event, None]:
        """The events of the job's stream, to the end."""
        parser = EventParser(retry_ms=0)
        await self._ask(f"GET /v1/jobs/{job_id}/stream HTTP/1.0\r\n{self._headers}\r\n")
        while chunk := await self._reader.read(CHUNK_BYTES):
            for event in parser.feed(chunk):
                yield event

    async def _ask(self, request: str) -> None:
        self._writer.write(request.encode())
        status = (await self._reader.readuntil(b"\r\n\r\n")).split()[1]
        assert status in {b"200", b"202"}, await self._reader.read()  # noqa: S101
