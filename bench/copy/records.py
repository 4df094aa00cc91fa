"""The records that are copied: one file of Parquet, of the columns that a table of measurements has."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("id", "name", "amount", "at", "ok", "note")
ROW_GROUP = 100_000
BEGAN_US = 1_700_000_000_000_000

TABLE = """
CREATE TABLE things (id bigint PRIMARY KEY, name text, amount double precision, at {moment}, ok {boolean}, note text)
"""
MADE = {
    "postgresql": TABLE.format(moment="timestamptz", boolean="boolean"),
    "sqlite": TABLE.format(moment="text", boolean="integer"),
}


def write(file: Path, rows: int) -> None:
    """The file, a row group at a time."""
    with pq.ParquetWriter(file, _group(range(0)).schema) as writer:
        for begin in range(0, rows, ROW_GROUP):
            writer.write_table(_group(range(begin, min(begin + ROW_GROUP, rows))))


def _group(places: range) -> pa.Table:
    return pa.table(
        {
            "id": pa.array(places, pa.int64()),
            "name": pa.array([f"name {at}" for at in places], pa.string()),
            "amount": pa.array([at * 1.5 for at in places], pa.float64()),
            "at": pa.array([BEGAN_US + at for at in places], pa.timestamp("us", "UTC")),
            "ok": pa.array([at % 2 == 0 for at in places], pa.bool_()),
            "note": pa.array([None if at % 3 else f'a "note", {at}' for at in places], pa.string()),
        }
    )
