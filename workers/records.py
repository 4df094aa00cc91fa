"""A batch of records on its way from a file into a table, whichever form it came in."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, Protocol

import orjson

from jobs.model import JsonObject, whole

ColumnType = Literal[
    "boolean", "integer", "number", "decimal", "text", "bytes", "date", "time", "timestamp", "instant", "json"
]
"""What a column holds; `number` is a double, `instant` a timestamp with a time zone."""

Row = tuple[Any, ...]

INT64 = range(-(2**63), 2**63)

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]{1,3})?")


class Records(Protocol):
    """Some records of one file, in its order; `lines` says where each stands in it."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that any of the records has."""

    @property
    def lines(self) -> Sequence[int]: ...

    @property
    def ragged(self) -> bool:
        """Whether each record has columns of its own; else they are the file's."""

    def __len__(self) -> int: ...

    def slice(self, first: int, last: int) -> "Records":
        """The records from the one to before the other."""

    def at(self, places: Sequence[int]) -> "Records":
        """The records at these places."""

    def column(self, name: str) -> list[Any]:
        """The values of one column, None for what is missing."""

    def rows(self) -> list[Row]:
        """The values of each, in the order of `names`; None for what is missing."""

    @property
    def csv(self) -> bytes:
        """The same as CSV: every text is quoted, and what is missing is nothing. Made once."""

    def types(self) -> Mapping[str, ColumnType]:
        """What each column holds, as far as these records tell."""


@dataclass(frozen=True)
class PlainRecords:
    """Records as Python has them: from NDJSON, and from CSV, where every value is a text."""

    records: Sequence[JsonObject]
    lines: Sequence[int]
    ragged: bool
    guesses: bool = False
    """Whether texts are looked at for what they may mean."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple({name: None for record in self.records for name in record})

    def __len__(self) -> int:
        return len(self.records)

    def slice(self, first: int, last: int) -> "PlainRecords":
        return PlainRecords(self.records[first:last], self.lines[first:last], self.ragged, self.guesses)

    def at(self, places: Sequence[int]) -> "PlainRecords":
        records, lines = [self.records[at] for at in places], [self.lines[at] for at in places]
        return PlainRecords(records, lines, self.ragged, self.guesses)

    def column(self, name: str) -> list[Any]:
        return [record.get(name) for record in self.records]

    def rows(self) -> list[Row]:
        names = self.names
        return [tuple(map(record.get, names)) for record in self.records]

    @cached_property
    def csv(self) -> bytes:
        return "".join(",".join(map(_cell, row)) + "\n" for row in self.rows()).encode()

    def types(self) -> Mapping[str, ColumnType]:
        guess = _guessed if self.guesses else _type_of
        columns = zip(*self.rows(), strict=True)
        return {
            name: _common({guess(value) for value in column if value is not None})
            for name, column in zip(self.names, columns, strict=True)
        }


def without_key(records: Records, key: Sequence[str]) -> list[int]:
    """The places of the records that lack a value of the key, or have one that no index could find again."""
    if not set(key) <= set(records.names):
        return [*range(len(records))]
    return sorted({at for name in key for at, value in enumerate(records.column(name)) if not _is_findable(value)})


def record_at(records: Records, at: int) -> JsonObject:
    """One record, for whoever looks at what was set aside."""
    one = records.at([at])
    shown: JsonObject = orjson.loads(json_text(dict(zip(one.names, one.rows()[0], strict=True))))
    return shown


def json_text(value: Any) -> str:
    """A list or an object as JSON."""
    try:
        return orjson.dumps(value, default=_shown, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # an integer over 64 bits, or half a surrogate pair
        return whole(json.dumps(value, default=_shown, ensure_ascii=False))


def _is_findable(value: Any) -> bool:
    return value is not None and not isinstance(value, list | dict) and value == value  # noqa: PLR0124  # NaN


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            text = value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case _:
            text = json_text(value)
    return '"' + text.replace('"', '""') + '"'


def _type_of(value: Any) -> ColumnType:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer" if value in INT64 else "decimal"
        case float():
            return "number"
        case str():
            return "text"
    return "json"


def _guessed(text: str) -> ColumnType:
    """What the text of a CSV file may mean: a number that would be written back as it stood, a date, a time."""
    digits = text.removeprefix("-")
    if digits.isascii() and digits.isdigit():
        if text != "0" and digits.startswith("0"):
            return "text"
        return "integer" if len(digits) < 20 and int(text) in INT64 else "decimal"
    if _NUMBER.fullmatch(text):
        return "number" if Decimal(text) == Decimal(repr(float(text))) else "text"
    return _guessed_time(text)


def _guessed_time(text: str) -> ColumnType:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return "text"
    if text == moment.date().isoformat():
        return "date"
    if len(text) < 16 or text[4] != "-":
        return "text"
    return "timestamp" if moment.tzinfo is None else "instant"


def _common(types: set[ColumnType]) -> ColumnType:
    """The type that holds values of all of these."""
    if len(types) == 1:
        return next(iter(types))
    if types and types <= {"integer", "number"}:
        return "number"
    if types and types <= {"integer", "decimal"}:
        return "decimal"
    return "text"


def _shown(value: Any) -> Any:
    match value:
        case bytes():
            return "\\x" + value.hex()
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal():
            return str(value)
    return str(value)
