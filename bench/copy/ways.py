"""What a user would write instead: `python -m bench.copy.ways WAY SCHEME URL FILE` copies the file, and says how long
it took and how much memory. It needs the packages of requirements-pandas.txt, and nothing of the product."""

import asyncio
import json
import resource
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Any

import asyncpg
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import sqlalchemy as sa

from bench.copy.records import COLUMNS

BATCH = 10_000
NAMES = ", ".join(COLUMNS)
CHANGES = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS if name != "id")
UPSERT = f"ON CONFLICT (id) DO UPDATE SET {CHANGES}"

Rows = list[tuple[Any, ...]]
Way = Callable[[str, str], None]


def pandas_to_sql(url: str, file: str) -> None:
    """The frame as a table of its own, put from there into the one that is meant: `to_sql` has no upsert."""
    address = url.replace("postgresql://", "postgresql+psycopg2://").replace("sqlite://", "sqlite:///")
    with sa.create_engine(address).begin() as connection:
        pd.read_parquet(file).to_sql("stage", connection, index=False, if_exists="replace", chunksize=BATCH)
        connection.execute(sa.text(f"INSERT INTO things ({NAMES}) SELECT {NAMES} FROM stage WHERE true {UPSERT}"))  # noqa: S608


def postgresql_row_by_row(url: str, file: str) -> None:
    """An upsert for each row, and a commit for each batch."""

    async def put(session: asyncpg.Connection, rows: Rows) -> None:
        for row in rows:
            await session.execute(_upsert("$"), *row)

    asyncio.run(_each_batch(url, file, put))


def postgresql_executemany(url: str, file: str) -> None:
    """An `executemany` for each batch."""

    async def put(session: asyncpg.Connection, rows: Rows) -> None:
        await session.executemany(_upsert("$"), rows)

    asyncio.run(_each_batch(url, file, put))


def postgresql_ceiling(url: str, file: str) -> None:
    """All of the file by COPY into a temporary table, and from there by one upsert: no progress, no resuming."""
    asyncio.run(_copied(url, file))


async def _copied(url: str, file: str) -> None:
    session = await asyncpg.connect(url)
    async with session.transaction():
        await session.execute("CREATE TEMPORARY TABLE stage ON COMMIT DROP AS SELECT * FROM things WITH NO DATA")
        await session.copy_to_table("stage", source=_as_csv(file), columns=COLUMNS, format="csv")
        await session.execute(f"INSERT INTO things ({NAMES}) SELECT {NAMES} FROM stage {UPSERT}")  # noqa: S608
    await session.close()


async def _as_csv(file: str) -> AsyncIterator[bytes]:
    for batch in pq.ParquetFile(file).iter_batches(65_536):
        sink = pa.BufferOutputStream()
        pc.write_csv(batch, sink, pc.WriteOptions(include_header=False))
        yield sink.getvalue().to_pybytes()


async def _each_batch(url: str, file: str, put: Callable[..., Any]) -> None:
    session = await asyncpg.connect(url)
    for rows in _batches(file):
        async with session.transaction():
            await put(session, rows)
    await session.close()


def sqlite_row_by_row(url: str, file: str) -> None:
    """An upsert for each row, and a commit for each batch."""
    with sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None) as session:
        for rows in _batches(file):
            session.execute("BEGIN")
            for row in rows:
                session.execute(_upsert("?"), _spelled(row))
            session.execute("COMMIT")


def sqlite_executemany(url: str, file: str) -> None:
    """An `executemany` for each batch."""
    with sqlite3.connect(url.removeprefix("sqlite://"), isolation_level=None) as session:
        for rows in _batches(file):
            session.execute("BEGIN")
            session.executemany(_upsert("?"), map(_spelled, rows))
            session.execute("COMMIT")


def _batches(file: str) -> Iterator[Rows]:
    for batch in pq.ParquetFile(file).iter_batches(BATCH):
        yield [*zip(*(column.to_pylist() for column in batch.columns), strict=True)]


def _spelled(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.isoformat() if isinstance(value, datetime) else value for value in row)


def _upsert(mark: str) -> str:
    places = (f"${at}" if mark == "$" else mark for at in range(1, len(COLUMNS) + 1))
    return f"INSERT INTO things ({NAMES}) VALUES ({', '.join(places)}) {UPSERT}"  # noqa: S608


WAYS: dict[str, dict[str, Way]] = {
    "postgresql": {
        "ceiling": postgresql_ceiling,
        "to_sql": pandas_to_sql,
        "executemany": postgresql_executemany,
        "row by row": postgresql_row_by_row,
    },
    "sqlite": {"to_sql": pandas_to_sql, "executemany": sqlite_executemany, "row by row": sqlite_row_by_row},
}


def main(way: str, scheme: str, url: str, file: str) -> None:
    """Copy, and tell."""
    began = time.monotonic()
    WAYS[scheme][way](url, file)
    seconds = time.monotonic() - began
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
