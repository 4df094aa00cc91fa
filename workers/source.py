"""The contract of a source: it reads the records of one file, from a place in it to its end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from jobs.rejects import Reject
from workers.records import Records

MOST_BYTES = 16 * 1024 * 1024
"""Of one record, and about of one batch."""


@dataclass(frozen=True)
class Spot:
    """A place in one file: so many records or lines, and so many bytes of its text, lie before it."""

    line: int = 0
    offset: int = 0


@dataclass(frozen=True)
class Piece:
    """The next records of a file, what stood between them that is none, and the place after all of them."""

    records: Records
    rejects: Sequence[Reject]
    after: Spot


@dataclass(frozen=True)
class Place:
    """A place in all the files: the file, its size when it was read, and the spot in it."""

    file: str = ""
    size: int = 0
    spot: Spot = field(default_factory=Spot)


@dataclass(frozen=True)
class Batch:
    """The next piece, the place after it, and how much of the bytes of all files lies before that."""

    piece: Piece
    place: Place
    share: float


class Source(Protocol):
    """A format. Its calls block: they belong into a thread."""

    def read(
        self, name: str, stream: BinaryIO, spot: Spot, *, most: int, columns: Sequence[str] | None = None
    ) -> Iterator[Piece]:
        """The records after the spot, up to `most` at a time, of these columns alone; DoNotRetry for a file that is
        not of the format."""

    def count(self, stream: BinaryIO, /) -> int | None:
        """How many records the file has, None where only reading it would tell."""
