"""CSV: a header, commas, quotes as RFC 4180 has them; every value is a text, and an empty one is missing."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import BinaryIO

from jobs.errors import DoNotRetry
from jobs.model import JsonObject, whole
from jobs.rejects import Reject
from workers.records import PlainRecords
from workers.source import MOST_BYTES, Piece, Spot
from workers.sources.text import Lines, unpacked

MOST_FIELD_BYTES = 1024 * 1024


class Csv:
    """Files of comma-separated values whose first line names them."""

    def read(
        self, name: str, stream: BinaryIO, spot: Spot, *, most: int, columns: Sequence[str] | None = None
    ) -> Iterator[Piece]:
        csv.field_size_limit(MOST_FIELD_BYTES)
        text = unpacked(stream)
        head = Lines(text, Spot())
        header = _header(name, head)
        wanted = [at for at, column in enumerate(header) if columns is None or column in columns]
        lines = Lines(text, spot if spot.line else head.after)
        batch = _Batch(name, header, wanted)
        began, reader = lines.after, csv.reader(_texts(lines), strict=True)
        while (fields := _next(reader)) is not None:
            batch.add(fields, began.line + 1, fits=lines.after.offset - began.offset < MOST_BYTES)
            began = lines.after
            if batch.size == most or batch.bytes(began) >= MOST_BYTES:
                yield batch.piece(began)
                batch = _Batch(name, header, wanted)
        if batch.size:
            yield batch.piece(began)

    def count(self, _stream: BinaryIO) -> int | None:
        return None


class _Batch:
    """What was read since the last piece."""

    def __init__(self, name: str, header: Sequence[str], wanted: Sequence[int]) -> None:
        self._name = name
        self._header = header
        self._wanted = wanted
        self._records: list[JsonObject] = []
        self._lines: list[int] = []
        self._rejects: list[Reject] = []
        self._began: int | None = None

    @property
    def size(self) -> int:
        return len(self._records) + len(self._rejects)

    def bytes(self, after: Spot) -> int:
        """About how much text it holds."""
        self._began = after.offset if self._began is None else self._began
        return after.offset - self._began

    def add(self, fields: list[str] | csv.Error, line: int, *, fits: bool) -> None:
        if not fits:
            self._reject(line, "", f"The record is longer than {MOST_BYTES} bytes.")
        elif isinstance(fields, csv.Error):
            self._reject(line, "", f"The line is not CSV: {fields}.")
        elif fields and len(fields) != len(self._header):
            reason = f"The line has {len(fields)} fields, the header {len(self._header)}."
            self._reject(line, ",".join(fields), reason)
        elif any(_is_broken(field) for field in fields):
            self._reject(line, ",".join(fields), "The line is not UTF-8.")
        elif fields:
            self._records.append({self._header[at]: fields[at] or None for at in self._wanted})
            self._lines.append(line)

    def piece(self, after: Spot) -> Piece:
        return Piece(PlainRecords(self._records, self._lines, ragged=False, guesses=True), self._rejects, after)

    def _reject(self, line: int, text: str, reason: str) -> None:
        self._rejects.append(Reject(self._name, line, whole(text), reason))


def _header(name: str, lines: Lines) -> list[str]:
    header: list[str] = []
    with suppress(csv.Error):
        header = next(csv.reader(_texts(lines), strict=True), [])
    if not header or not all(header) or len(set(header)) < len(header) or any(map(_is_broken, header)):
        raise DoNotRetry(f"{name} does not begin with a header that names each column once.")
    return header


def _texts(lines: Lines) -> Iterator[str]:
    for line in lines:
        yield line.decode(errors="surrogateescape")


def _next(reader: Iterator[list[str]]) -> list[str] | csv.Error | None:
    """The next record, why there is none in the next lines, or None at the end."""
    try:
        return next(reader, None)
    except csv.Error as error:
        return error


def _is_broken(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)
