"""Records in columns, as pyarrow reads them; only what reads Parquet imports this."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
from pyarrow import types
from pyarrow.csv import WriteOptions, write_csv

from workers.records import ColumnType, Row, json_text


@dataclass(frozen=True)
class ArrowRecords:
    """Records of a file that has columns of its own."""

    batch: Any
    lines: Sequence[int]
    ragged: bool = False

    @classmethod
    def of(cls, batch: Any, lines: Sequence[int]) -> "ArrowRecords":
        """The batch, in types that every reader knows."""
        columns = [_plain(column) for column in batch.columns]
        return cls(pa.RecordBatch.from_arrays(columns, names=batch.schema.names), lines)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.batch.schema.names)

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    def slice(self, first: int, last: int) -> "ArrowRecords":
        return ArrowRecords(self.batch.slice(first, last - first), self.lines[first:last])

    def at(self, places: Sequence[int]) -> "ArrowRecords":
        return ArrowRecords(self.batch.take(pa.array(places, pa.int64())), [self.lines[at] for at in places])

    def column(self, name: str) -> list[Any]:
        return _values(self.batch.column(name))

    def rows(self) -> list[Row]:
        return [*zip(*(_values(column) for column in self.batch.columns), strict=True)]

    @cached_property
    def csv(self) -> bytes:
        columns = [_spelled(column) for column in self.batch.columns]
        sink = pa.BufferOutputStream()
        spelled = pa.RecordBatch.from_arrays(columns, names=self.batch.schema.names)
        write_csv(spelled, sink, WriteOptions(include_header=False))
        return bytes(sink.getvalue())

    def types(self) -> Mapping[str, ColumnType]:
        return {field.name: _type_of(field.type) for field in self.batch.schema}


def _plain(column: Any) -> Any:
    """The column without dictionaries, nanoseconds, durations, half floats, and types of extensions."""
    kind = column.type
    if types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    if isinstance(kind, pa.UuidType):
        return pa.array([each and str(each) for each in column.to_pylist()], pa.string())
    if isinstance(kind, pa.BaseExtensionType):
        return _plain(column.storage)
    plain = _plain_type(kind)
    return column if plain == kind else column.cast(plain, safe=False)


def _plain_type(kind: Any) -> Any:
    if types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    if types.is_time64(kind) and kind.unit == "ns":
        return pa.time64("us")
    if types.is_duration(kind):
        return pa.int64()
    if types.is_float16(kind):
        return pa.float32()
    if types.is_string_view(kind):
        return pa.string()
    if types.is_list(kind):
        return pa.list_(_plain_field(kind.value_field))
    if types.is_struct(kind):
        return pa.struct([*map(_plain_field, kind)])
    return kind


def _plain_field(field: Any) -> Any:
    return field.with_type(_plain_type(field.type))


def _spelled(column: Any) -> Any:
    """The column as one that CSV has a form for."""
    if types.is_nested(column.type):
        return pa.array([each if each is None else json_text(each) for each in _values(column)], pa.string())
    if _is_bytes(column.type):
        return pa.array([each if each is None else "\\x" + each.hex() for each in column.to_pylist()], pa.string())
    return column


def _values(column: Any) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    except UnicodeDecodeError:  # Parquet promises UTF-8, and nobody checks
        raw = column.view("large_binary" if types.is_large_string(column.type) else "binary").to_pylist()
        return [each if each is None else each.decode(errors="surrogateescape") for each in raw]
    except (OverflowError, ValueError):
        return [_value(each) for each in column]
    return values


def _value(scalar: Any) -> Any:
    """The value; one that Python has no such type for, as of the year 10000, as a text."""
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return str(scalar.cast(pa.string()).as_py())


def _is_bytes(kind: Any) -> bool:
    return bool(types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind))


def _type_of(kind: Any) -> ColumnType:
    match kind:
        case _ if types.is_boolean(kind):
            return "boolean"
        case _ if types.is_uint64(kind) or types.is_decimal(kind):
            return "decimal"
        case _ if types.is_integer(kind):
            return "integer"
        case _ if types.is_floating(kind):
            return "number"
        case _ if types.is_date(kind):
            return "date"
        case _ if types.is_time(kind):
            return "time"
        case _ if types.is_timestamp(kind):
            return "timestamp" if kind.tz is None else "instant"
        case _ if _is_bytes(kind):
            return "bytes"
        case _ if types.is_nested(kind):
            return "json"
    return "text"
