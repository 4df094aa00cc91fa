"""The cursor of a stream over many jobs: a short mark for each job's place, all in one opaque word."""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from jobs.errors import InvalidCursor
from jobs.model import JobId
from jobs.updates import Cursor

PREFIX = "m."
MOST_JOBS = 32
LONGEST = 512
_FORM = re.compile(r"m\.[A-Za-z0-9_-]*")
_TAG_BYTES = 4
_MORE = 0x80


@dataclass(frozen=True)
class Mark:
    """One job's place: its update's number, and a check of its whole cursor."""

    seq: int
    check: bytes

    def fits(self, cursor: Cursor) -> bool:
        """Whether the mark was made of this cursor."""
        return self.seq == cursor.seq and self.check == _check(cursor)


class Word:
    """The word for the places of one connection, kept up to date as they move on."""

    def __init__(self, places: Mapping[JobId, Cursor]) -> None:
        self._marks: dict[bytes, bytes] = {}
        for job_id, cursor in places.items():
            self.move(job_id, cursor)

    def move(self, job_id: JobId, cursor: Cursor) -> None:
        """The job is at this place now."""
        self._marks[_tag(job_id)] = _varint(cursor.seq) + _check(cursor)

    def __str__(self) -> str:
        """4 bytes of each job's tag, its seq as a varint, 4 bytes of its cursor's check."""
        packed = b"".join(tag + mark for tag, mark in self._marks.items())
        return PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read(word: str) -> dict[bytes, Mark]:
    """The marks in the word, by their jobs' tags; InvalidCursor for a word that no stream gave out."""
    if len(word) > LONGEST or not _FORM.fullmatch(word):
        raise InvalidCursor("A cursor of this endpoint has the form m.<base64url>.")
    body = word.removeprefix(PREFIX)
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_")
        return _marks(packed)
    except (binascii.Error, ValueError, IndexError) as error:
        raise InvalidCursor("This cursor is not one that a stream over many jobs gave out.") from error


def mark_of(marks: Mapping[bytes, Mark], job_id: JobId) -> Mark | None:
    """The job's mark, None if the word has none."""
    return marks.get(_tag(job_id))


def _marks(packed: bytes) -> dict[bytes, Mark]:
    marks: dict[bytes, Mark] = {}
    at = 0
    while at < len(packed):
        tag = packed[at : at + _TAG_BYTES]
        seq, at = _read_varint(packed, at + _TAG_BYTES)
        check = packed[at : at + _TAG_BYTES]
        at += _TAG_BYTES
        if at > len(packed):
            raise ValueError("cut short")
        marks[tag] = Mark(seq, check)
    return marks


@lru_cache(maxsize=4096)
def _tag(job_id: JobId) -> bytes:
    return hashlib.sha256(job_id.encode()).digest()[:_TAG_BYTES]


def _check(cursor: Cursor) -> bytes:
    return hashlib.sha256(str(cursor).encode()).digest()[:_TAG_BYTES]


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= _MORE:
        encoded.append(number % _MORE | _MORE)
        number //= _MORE
    encoded.append(number)
    return bytes(encoded)


def _read_varint(packed: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = packed[at]
        at += 1
        number |= (byte & (_MORE - 1)) << shift
        if byte < _MORE:
            return number, at
        shift += 7
        if shift > 56:
            raise ValueError("no number of an update is so large")
