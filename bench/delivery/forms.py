"""The ways to publish: into a job's log, on a plain channel of the store, and to nchan over HTTP."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

from jobs import keys
from jobs.connection import script_text
from jobs.log import Line
from jobs.model import UNSET_PART, JobId
from jobs.updates import PartChanged, encode

PART = "answer"
BODY_BYTES = 200
ENTRY_BYTES = 64
"""What the log counts of an entry beside its body."""

_TEXT = b"@%010d %019d "
_BODY = b'{"part":"' + PART.encode() + b'","text":"%b","at":%d}'
_PADDING = b"x" * (BODY_BYTES - len(_BODY % (_TEXT % (0, 0), 10**4)))
TEXT_BYTES = len(_TEXT % (0, 0) + _PADDING)


def text_of(seq: int, now_ns: int) -> bytes:
    """What one update adds: its number on this channel, 0 for a warm-up, and when it was written."""
    return _TEXT % (seq, now_ns) + _PADDING


def body_of(text: bytes, at: int) -> bytes:
    """The update, as the log's clients get it."""
    return _BODY % (text, at)


class Form(Protocol):
    """How one update of a channel is put on the wire, and how an answer of the other side is told."""

    def begin(self, channel: int) -> bytes:
        """What makes the channel fresh for a new reader; nothing where there is nothing to do."""

    def update(self, channel: int, seq: int, now_ns: int) -> bytes:
        """The request that carries the update."""

    def taken(self, answer: object) -> bool:
        """Whether the answer says that the update was taken."""


@dataclass
class Leased:
    """A job that the bench holds, and its log's last cursor and size before anything was written; `flush` is the last
    that was appended, `at` how long its text is."""

    job_id: JobId
    token: str
    us: int
    seq: int
    log_bytes: int
    flush: int = 0
    at: int = 0

    def __str__(self) -> str:
        return f"{self.job_id}|{self.token}|{self.us}|{self.seq}|{self.log_bytes}|{self.flush}"

    @classmethod
    def parse(cls, text: str) -> "Leased":
        """The job that was written so."""
        job_id, token, us, seq, size, flush = text.split("|")
        return cls(JobId(job_id), token, int(us), int(seq), int(size), int(flush))


class Append:
    """Appends to the logs of leased jobs, by the script that the product's own writers call."""

    def __init__(self, jobs: list[Leased]) -> None:
        self._jobs = jobs
        sha = hashlib.sha1(script_text("append").encode(), usedforsecurity=False).hexdigest()
        self._head = b"*13\r\n$7\r\nEVALSHA\r\n$40\r\n%b\r\n$1\r\n0\r\n" % sha.encode()
        changes = UNSET_PART | {"state": "running", "attempt": 1}
        value = encode(PartChanged(part=PART, **{name: each for name, each in changes.items() if name != "text"}))
        self._first = Line(
            "part", encode(PartChanged(part=PART, **changes)), name=PART, head="running", value=value, write="="
        )

    def begin(self, channel: int) -> bytes:
        self._jobs[channel].at = 0
        return self._call(self._jobs[channel], self._first)

    def update(self, channel: int, seq: int, now_ns: int) -> bytes:
        job, text = self._jobs[channel], text_of(seq, now_ns)
        body = body_of(text, job.at)
        job.at += len(text)
        return self._call(job, Line("delta", body, name=PART, write="+", text=text))

    def taken(self, answer: object) -> bool:
        return answer == [b"APPENDED"]

    def _call(self, job: Leased, line: Line) -> bytes:
        job.flush += 1
        fields = (line.event, line.name, line.head, line.body, line.value, line.write, line.text)
        given = (job.job_id, job.token, str(job.flush), *fields)
        return self._head + b"".join([_bulk(each) for each in given])


class Publish:
    """Publishes on plain channels of the store, as every peer but nchan reads them."""

    def __init__(self, channels: list[str]) -> None:
        self._heads = [b"*3\r\n$7\r\nPUBLISH\r\n" + _bulk(channel) for channel in channels]
        self._at = [0] * len(channels)

    def begin(self, channel: int) -> bytes:
        self._at[channel] = 0
        return b""

    def update(self, channel: int, seq: int, now_ns: int) -> bytes:
        return self._heads[channel] + _bulk(self._body(channel, seq, now_ns))

    def _body(self, channel: int, seq: int, now_ns: int) -> bytes:
        text = text_of(seq, now_ns)
        self._at[channel] += len(text)
        return body_of(text, self._at[channel] - len(text))

    def taken(self, answer: object) -> bool:
        return isinstance(answer, int)


class Announce(Publish):
    """Publishes what the log would announce, without the log: what the readers' side can do beyond the store."""

    def __init__(self, jobs: list[Leased]) -> None:
        super().__init__([keys.channel(job.job_id) for job in jobs])
        self._held = [(job.us, job.seq, job.log_bytes) for job in jobs]
        self._said = list(self._held)

    def begin(self, channel: int) -> bytes:
        self._said[channel] = self._held[channel]
        return super().begin(channel)

    def update(self, channel: int, seq: int, now_ns: int) -> bytes:
        body = self._body(channel, seq, now_ns)
        us, number, total = self._said[channel]
        total += len(body) + ENTRY_BYTES
        self._said[channel] = us + 1, number + 1, total
        return self._heads[channel] + _bulk(
            b"%d-%d|%d-%d|delta|%d|%b" % (us + 1, number + 1, us, number, total, body)
        )


class Post(Publish):
    """Posts to nchan's publisher endpoint."""

    def __init__(self, channels: list[str]) -> None:
        super().__init__(channels)
        self._heads = [
            b"POST /pub?id=%b HTTP/1.1\r\nHost: localhost\r\nContent-Length: " % channel.encode()
            for channel in channels
        ]

    def update(self, channel: int, seq: int, now_ns: int) -> bytes:
        body = self._body(channel, seq, now_ns)
        return self._heads[channel] + b"%d\r\n\r\n%b" % (len(body), body)

    def taken(self, answer: object) -> bool:
        return answer in (201, 202)


def _bulk(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return b"$%d\r\n%b\r\n" % (len(data), data)
