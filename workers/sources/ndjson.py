"""NDJSON: one JSON object a line, each with fields of its own."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import orjson

from jobs.model import JsonObject
from jobs.rejects import Reject
from workers.records import PlainRecords
from workers.source import MOST_BYTES, Piece, Spot
from workers.sources.text import Lines, unpacked

DEEPEST = 100
"""Levels of a record: as many as every destination takes."""

_LONG_NUMBER = re.compile(rb"\d{19}")


class Ndjson:
    """Files of one JSON object a line; empty lines don't count as records."""

    def read(
        self, name: str, stream: BinaryIO, spot: Spot, *, most: int, columns: Sequence[str] | None = None
    ) -> Iterator[Piece]:
        batch = _Batch(name, columns)
        lines = Lines(unpacked(stream), spot)
        for line in lines:
            batch.add(line, lines.after.line)
            if batch.size == most or batch.bytes >= MOST_BYTES:
                yield batch.piece(lines.after)
                batch = _Batch(name, columns)
        if batch.size:
            yield batch.piece(lines.after)

    def count(self, _stream: BinaryIO) -> int | None:
        return None


class _Batch:
    """What was read since the last piece."""

    def __init__(self, name: str, columns: Sequence[str] | None) -> None:
        self._name = name
        self._columns = None if columns is None else frozenset(columns)
        self._records: list[JsonObject] = []
        self._lines: list[int] = []
        self._rejects: list[Reject] = []
        self.bytes = 0

    @property
    def size(self) -> int:
        return len(self._records) + len(self._rejects)

    def add(self, line: bytes, number: int) -> None:
        self.bytes += len(line)
        if not (line := line.strip()):
            return
        try:
            record = _record(line)
        except ValueError as error:
            text = line[:MOST_BYTES].decode(errors="replace")
            self._rejects.append(Reject(self._name, number, text, str(error)))
            return
        if self._columns is not None:
            record = {column: value for column, value in record.items() if column in self._columns}
        self._records.append(record)
        self._lines.append(number)

    def piece(self, after: Spot) -> Piece:
        return Piece(PlainRecords(self._records, self._lines, ragged=True), self._rejects, after)


def _record(line: bytes) -> JsonObject:
    """The line's object; ValueError says why it is none."""
    if len(line) >= MOST_BYTES:
        raise ValueError(f"The line is longer than {MOST_BYTES} bytes.")
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"The line is not JSON: {error.msg}.") from None
    if not isinstance(record, dict):
        raise ValueError("The line is JSON, but not an object.")  # noqa: TRY004  # of what the line holds
    if line.count(b"{") + line.count(b"[") > DEEPEST and _depth(record) > DEEPEST:
        raise ValueError(f"The line is nested deeper than {DEEPEST} levels.")
    # Integers beyond 64 bits are read exactly by the slower of the two alone.
    return json.loads(line) if _LONG_NUMBER.search(line) else record


def _depth(record: JsonObject) -> int:
    depth = 0
    level: list[Any] = [record]
    while level:
        depth += 1
        level = [inner for value in level for inner in _values(value) if isinstance(inner, dict | list)]
    return depth


def _values(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value
