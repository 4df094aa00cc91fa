"""Clients made of bare sockets, so that a test has thousands of them, and can be as rude as it likes."""

import asyncio
import base64
import re
import secrets
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from tests.system import SECRET

SMALLEST_BUFFER = 4096
CHUNK = 64 * 1024
BY_RESET = struct.pack("ii", 1, 0)
SEQ = re.compile(rb"\nid: \d+-(\d+)\n")
"""The number of an update in a stream of one job; a test with more than 64 KiB may find one cut in two."""

HEADERS = f"Host: 127.0.0.1\r\nAuthorization: Bearer {SECRET}\r\n"


def asking(path: str, headers: str = "") -> bytes:
    """A request without a body."""
    return f"GET {path} HTTP/1.1\r\n{HEADERS}{headers}\r\n".encode()


def listening(path: str, after: str = "") -> bytes:
    """The request for a stream."""
    return asking(path, f"Last-Event-ID: {after}\r\n" if after else "")


def opening(path: str) -> bytes:
    """The request for a WebSocket."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    return asking(path, f"{upgrade}Sec-WebSocket-Key: {key}\r\n")


class Guest:
    """One connection to a server; with `buffer`, its own machine takes no more than that for it."""

    def __init__(self, url: str, *, buffer: int | None = None) -> None:
        self._port = int(url.rpartition(":")[2])
        self._loop = asyncio.get_running_loop()
        self._socket = socket.socket()
        self._socket.setblocking(False)  # noqa: FBT003  # its only way
        if buffer is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.heard_any = False

    async def connect(self) -> None:
        await self._loop.sock_connect(self._socket, ("127.0.0.1", self._port))

    async def send(self, message: bytes) -> None:
        await self._loop.sock_sendall(self._socket, message)

    async def ask(self, message: bytes) -> None:
        """Connect, and send it."""
        await self.connect()
        await self.send(message)

    async def hear(self, word: bytes) -> bytes:
        """All that comes, up to the word; to the end of the connection where it never comes."""
        heard = bytearray()
        try:
            while word not in heard[-CHUNK - len(word) :]:
                more = await self._loop.sock_recv(self._socket, CHUNK)
                if not more:
                    break
                heard += more
                self.heard_any = True
        except ConnectionError:
            pass
        return bytes(heard)

    def vanish(self) -> None:
        """Be gone without a farewell: the server is told by a reset."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, BY_RESET)
        self._socket.close()


@contextmanager
def guests(url: str, count: int, *, buffer: int | None = None) -> Iterator[list[Guest]]:
    """So many, not yet connected; they vanish at once when the block ends."""
    found = [Guest(url, buffer=buffer) for _ in range(count)]
    try:
        yield found
    finally:
        for guest in found:
            guest.vanish()
