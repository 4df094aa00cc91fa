"""`python -m bench.delivery.publisher HOW ADDRESS CHANNELS`: writes updates at a rate; commands come as lines.

`fresh COUNT` begins the first COUNT channels anew, `warm` tells each of them once, `run RATE SECONDS` writes so many
updates a second, to one channel after the other. Each is answered by a line of JSON when all is taken."""

import json
import re
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import hiredis

from bench.delivery.forms import Announce, Append, Form, Leased, Post, Publish

TICK_SECONDS = 0.001
BURST = 512
TAKEN_SECONDS = 60.0
READ_BYTES = 1 << 18


class Refused(Exception):
    """The other side did not take an update."""


class Line:
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


class Answers:
    """What the other side says, out of its bytes."""

    def fed(self, data: bytes) -> list[object]:
        """The answers that are whole with these bytes."""
        raise NotImplementedError


class StoreAnswers(Answers):
    """Those of a Redis."""

    def __init__(self) -> None:
        self._reader = hiredis.Reader()

    def fed(self, data: bytes) -> list[object]:
        self._reader.feed(data)
        found = []
        while (answer := self._reader.gets()) is not False:
            found.append(answer)
        return found


class HttpAnswers(Answers):
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


class Publisher:
    """Numbers each channel's updates from 1, and keeps to its rate."""

    def __init__(self, line: Line, form: Form) -> None:
        self._line = line
        self._form = form
        self._seqs: list[int] = []
        self._next = 0

    def fresh(self, count: int) -> dict[str, object]:
        """Begin the channels anew."""
        self._seqs, self._next = [0] * count, 0
        self._send([request for channel in range(count) if (request := self._form.begin(channel))])
        return {}

    def warm(self) -> dict[str, object]:
        """Tell each channel something that does not count."""
        now = time.monotonic_ns()
        self._send([self._form.update(channel, 0, now) for channel in range(len(self._seqs))])
        return {}

    def run(self, rate: float, seconds: float) -> dict[str, object]:
        """So many a second, as evenly as the clock lets; where the other side is slower, so are we."""
        total, sent, began, cpu = max(1, round(rate * seconds)), 0, time.monotonic(), time.process_time()
        while sent < total:
            due = min(total, int((time.monotonic() - began) * rate) + 1, sent + BURST)
            if due > sent:
                self._line.send([self._update() for _ in range(due - sent)])
                sent = due
            else:
                time.sleep(
                    max(TICK_SECONDS, (sent + 1) / rate - (time.monotonic() - began)) if rate < 500 else TICK_SECONDS
                )
        self._line.settle()
        return {"sent": sent, "seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - cpu}

    def _update(self) -> bytes:
        channel = self._next
        self._next = (channel + 1) % len(self._seqs)
        self._seqs[channel] += 1
        return self._form.update(channel, self._seqs[channel], time.monotonic_ns())

    def _send(self, requests: list[bytes]) -> None:
        for first in range(0, len(requests), BURST):
            self._line.send(requests[first : first + BURST])
        self._line.settle()


def _form(how: str, file: Path) -> Form:
    channels = file.read_text().split()
    match how:
        case "append":
            return Append([Leased.parse(channel) for channel in channels])
        case "announce":
            return Announce([Leased.parse(channel) for channel in channels])
        case "post":
            return Post(channels)
    return Publish(channels)


def main() -> None:
    """Obey until the input ends."""
    how, address, channels = sys.argv[1:]
    form = _form(how, Path(channels))
    publisher = Publisher(Line(address, form), form)
    for command in sys.stdin:
        match command.split():
            case ["fresh", count]:
                answer = publisher.fresh(int(count))
            case ["warm"]:
                answer = publisher.warm()
            case ["run", rate, seconds]:
                answer = publisher.run(float(rate), float(seconds))
            case _:
                raise SystemExit(f"{command!r} is no command")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
