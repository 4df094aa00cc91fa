"""Requests that don't wait for each other's answers, on one connection to the store or to an HTTP server."""

import re
import socket
from typing import Protocol
from urllib.parse import urlsplit

import hiredis

from bench.delivery.forms import Form, Post

BURST = 512
TAKEN_SECONDS = 60.0
READ_BYTES = 1 << 18


class Refused(Exception):
    """The other side did not take an update."""


class Pipeline:
    """A connection that takes requests one behind the other; its answers are counted, and none may be a refusal."""

    def __init__(self, address: str, form: Form) -> None:
        if address.startswith("unix:"):
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.connect(urlsplit(address).path)
        else:
            host, _, port = address.rpartition(":")
            self._socket = socket.create_connection((host, int(port)))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(TAKEN_SECONDS)
        self._form = form
        self._answers: Answers = HttpAnswers() if isinstance(form, Post) else StoreAnswers()
        self._open = 0

    def send(self, requests: list[bytes]) -> None:
        """Send them, and take what answers are there."""
        self._open += len(requests)
        self._socket.sendall(b"".join(requests))
        while self._open > BURST:
            self._take()

    def settle(self) -> None:
        """Return when all is answered."""
        while self._open:
            self._take()

    def _take(self) -> None:
        data = self._socket.recv(READ_BYTES)
        if not data:
            raise Refused("the connection was closed")
        for answer in self._answers.fed(data):
            if not self._form.taken(answer):
                raise Refused(str(answer))
            self._open -= 1


class Answers(Protocol):
    """What the other side says, out of its bytes."""

    def fed(self, data: bytes) -> list[object]:
        """The answers that are whole with these bytes."""


class StoreAnswers:
    """Those of a Redis."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()

    def fed(self, data: bytes) -> list[object]:
        self._reader.feed(data)
        found = []
        while (answer := self._reader.gets()) is not False:
            found.append(answer)
        return found


class HttpAnswers:
    """The statuses of HTTP; no answer's body looks like one."""

    STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")

    def __init__(self) -> None:
        self._rest = b""

    def fed(self, data: bytes) -> list[object]:
        data, end = self._rest + data, 0
        found: list[object] = []
        for status in self.STATUS.finditer(data):
            found.append(int(status[1]))
            end = status.end()
        self._rest = data[max(end, len(data) - len("HTTP/1.1 20")) :]
        return found
