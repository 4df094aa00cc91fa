"""One job as users watch it: a page that asks every two seconds, and what we have instead of that."""

import asyncio
import re
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

POLL_SECONDS = 2.0
CHUNK_BYTES = 1 << 16
MARK = re.compile(rb"@(\d{10}) (\d{19}) ")
LONGEST_MARK = 40


@dataclass
class Watch:
    """What a page has seen so far, and what that took; `delays` are seconds, by the update's number."""

    port: int
    path: str
    headers: Mapping[str, str]
    delays: dict[int, float] = field(default_factory=dict)
    requests: int = 0
    wire_bytes: int = 0
    _tail: bytes = b""

    def see(self, data: bytes) -> None:
        """Note the updates in it that were not seen before."""
        now = time.monotonic_ns()
        for mark in MARK.finditer(self._tail + data):
            self.delays.setdefault(int(mark[1]), (now - int(mark[2])) / 1e9)
        self._tail = data[-LONGEST_MARK:]

    def request(self, path: str, **more: str) -> bytes:
        """A request as bytes, counted."""
        headers = {"Host": f"127.0.0.1:{self.port}", **self.headers, **more}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        data = f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()
        self.requests += 1
        self.wire_bytes += len(data)
        return data

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
        """A connection to the service."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        with closing(writer):
            yield reader, writer

    async def read(self, reader: StreamReader) -> bytes:
        """What has come, counted."""
        data = await reader.read(CHUNK_BYTES)
        self.wire_bytes += len(data)
        return data


async def poll(watch: Watch) -> None:
    """Ask every two seconds, with the tag of what is known."""
    await _ask_again(watch, pause=POLL_SECONDS)


async def long_poll(watch: Watch) -> None:
    """Ask at once again; the answer is held back until there is news."""
    await _ask_again(watch, pause=0.0, Prefer="wait=30")


async def stream(watch: Watch) -> None:
    """Server-sent events."""
    async with watch.connected() as (reader, writer):
        writer.write(watch.request(f"{watch.path}/stream", Accept="text/event-stream"))
        while data := await watch.read(reader):
            watch.see(data)


async def websocket(watch: Watch) -> None:
    """A WebSocket."""
    uri = parse_uri(f"ws://127.0.0.1:{watch.port}{watch.path}/ws")
    protocol = ClientProtocol(uri, subprotocols=["jobs.v1"])  # type: ignore[list-item]  # a NewType of str
    request = protocol.connect()
    request.headers.update(watch.headers)
    protocol.send_request(request)
    watch.requests += 1
    async with watch.connected() as (reader, writer):
        while True:
            sent = b"".join(protocol.data_to_send())
            watch.wire_bytes += len(sent)
            writer.write(sent)
            if not (data := await watch.read(reader)):
                return
            protocol.receive_data(data)
            for event in protocol.events_received():
                if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                    watch.see(bytes(event.data))


async def nobody(_: Watch) -> None:
    """What the service does by itself."""
    await asyncio.Event().wait()


Way = Callable[[Watch], Coroutine[Any, Any, None]]

WAYS: Mapping[str, Way] = {
    "nobody": nobody,
    "polls every 2 s": poll,
    "long-poll": long_poll,
    "stream": stream,
    "WebSocket": websocket,
}


async def _ask_again(watch: Watch, *, pause: float, **headers: str) -> None:
    tag: dict[str, str] = {}
    async with watch.connected() as (reader, writer):
        while True:
            writer.write(watch.request(watch.path, **headers, **tag))
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            watch.wire_bytes += len(head) + len(body)
            watch.see(body)
            tag = {"If_None_Match": _header(head, b"etag")}
            await asyncio.sleep(pause)


def _length(head: bytes) -> int:
    return int(_header(head, b"content-length") or 0)


def _header(head: bytes, name: bytes) -> str:
    found = re.search(rb"(?mi)^" + name + rb": *(.*?)\r$", head)
    return found[1].decode() if found else ""
