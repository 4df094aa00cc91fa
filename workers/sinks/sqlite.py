"""SQLite: each batch and what is remembered of it are one transaction, in a thread."""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any

from jobs.copying import CHECKPOINTS
from jobs.errors import DoNotRetry
from jobs.records.connections import Connection
from jobs.records.sqlite import open_sqlite, sqlite_faults, table_of
from jobs.records.table import Table, quoted
from workers.records import ColumnType, Records, Row, json_text
from workers.sink import FORGET_DAYS, Order, Overtaken, Refusal, Refused, Remember, Written, fitting, written
from workers.threads import in_thread

TYPES: Mapping[ColumnType, str] = {
    "boolean": "INTEGER",
    "integer": "INTEGER",
    "number": "REAL",
    "decimal": "TEXT",
    "text": "TEXT",
    "bytes": "BLOB",
    "date": "TEXT",
    "time": "TEXT",
    "timestamp": "TEXT",
    "instant": "TEXT",
    "json": "TEXT",
}

_CHECKPOINTS = f"""
CREATE TABLE IF NOT EXISTS {CHECKPOINTS}
(copy TEXT PRIMARY KEY, holder TEXT NOT NULL, state TEXT, changed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)
"""

_TAKE = f"""
INSERT INTO {CHECKPOINTS} (copy, holder) VALUES (?, ?)
ON CONFLICT (copy) DO UPDATE SET holder = excluded.holder, changed_at = CURRENT_TIMESTAMP RETURNING state
"""

_REMEMBER = f"UPDATE {CHECKPOINTS} SET state = ?, changed_at = CURRENT_TIMESTAMP WHERE copy = ? AND holder = ?"

_SETTLE = f"UPDATE {CHECKPOINTS} SET changed_at = CURRENT_TIMESTAMP WHERE copy = ?"

_FORGET = f"DELETE FROM {CHECKPOINTS} WHERE changed_at < datetime('now', ?)"


@asynccontextmanager
async def open_sink(connection: Connection, order: Order) -> AsyncIterator["SqliteSink"]:
    """A sink with a session of its own."""
    with ExitStack() as stack:
        session = await in_thread(lambda: stack.enter_context(open_sqlite(connection)))
        sink = SqliteSink(session, connection, order)
        await in_thread(sink.look)
        yield sink


class SqliteSink:
    """One copy's way into a table of SQLite."""

    def __init__(self, session: sqlite3.Connection, connection: Connection, order: Order) -> None:
        self._session = session
        self._connection = connection
        self._order = order
        self._target = quoted(order.copy.destination.table)
        self._table: Table | None = None
        self._declared: Mapping[str, str] = {}

    def look(self) -> None:
        """See what the table is like; NoUniqueKey where it cannot take the copy."""
        with sqlite_faults(self._connection):
            self._hurry()
            self._table = table_of(self._session, self._order.copy.destination.table)
        if self._table is not None:
            self._table.check(self._order.key)

    def prepare(self, records: Records) -> None:
        """Nothing: its rows are made in the thread that writes."""

    async def take(self) -> str | None:
        return None if self._order.copy.dry_run else await in_thread(self._take)

    async def write(self, records: Records, remember: Remember) -> Written:
        with sqlite_faults(self._connection):
            await in_thread(partial(self._session.execute, "BEGIN IMMEDIATE"))
            try:
                done = await self._put(records)
                if not self._order.copy.dry_run:
                    state = await remember(done)
                    await in_thread(partial(self._remember, state))
            except BaseException:
                self._session.rollback()
                raise
            end = self._session.rollback if self._order.copy.dry_run else self._session.commit
            await in_thread(end)
        return done

    async def settle(self) -> None:
        if not self._order.copy.dry_run:
            await in_thread(self._settle)

    async def _put(self, records: Records) -> Written:
        if not len(records):
            return Written(0, 0)
        columns = await in_thread(partial(self._columns, records))
        known, places, strange = fitting(records, columns)
        if not places:
            return Written(0, 0, strange)
        done = await written(lambda some: in_thread(partial(self._upsert, some)), known, self._order.key)
        refusals = [Refusal(places[each.at], each.reason) for each in done.refusals]
        return Written(done.inserted, done.updated, [*strange, *refusals])

    def _hurry(self) -> None:
        """Wait for the disk only when the copy settles, where a journal keeps the file whole all the same; an empty
        file gets such a one."""
        ((tables,),) = self._session.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        mode = "PRAGMA journal_mode" if tables else "PRAGMA journal_mode = WAL"
        if self._session.execute(mode).fetchone() == ("wal",):
            self._session.execute("PRAGMA synchronous = NORMAL")

    def _settle(self) -> None:
        with sqlite_faults(self._connection):
            self._session.execute("PRAGMA synchronous = FULL")
            self._session.execute(_SETTLE, (self._order.name,))

    def _take(self) -> str | None:
        with sqlite_faults(self._connection):
            self._session.execute(_CHECKPOINTS)
            ((state,),) = self._session.execute(_TAKE, (self._order.name, self._order.holder)).fetchall()
            self._session.execute(_FORGET, (f"-{FORGET_DAYS} days",))
        return None if state is None else str(state)

    def _columns(self, records: Records) -> Sequence[str]:
        """The table's columns; a table that there is not is made."""
        if self._table is not None:
            self._declared = self._table.columns
            return [*self._table.columns]
        columns = {name: TYPES[kind] for name, kind in records.types().items()}
        spelled = [
            f"{quoted(name)} {kind}{' NOT NULL' if name in self._order.key else ''}" for name, kind in columns.items()
        ]
        primary = f"PRIMARY KEY ({_listed(self._order.key)})"
        with _lasting():
            self._session.execute(f"CREATE TABLE {self._target} ({', '.join([*spelled, primary])}) STRICT")
        self._declared = columns
        if not self._order.copy.dry_run:
            self._table = Table(columns, [frozenset(self._order.key)])
        return [*columns]

    def _upsert(self, records: Records) -> int:
        """How many of the records were new; Refused where the database refuses any."""
        rows = _rows(records, self._declared)
        insert, update = _statements(self._target, records.names, self._order.key)
        self._session.execute("SAVEPOINT some")
        try:
            new = self._session.executemany(insert, rows).rowcount
            if new < len(rows):
                self._session.executemany(update, rows)
        except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError, UnicodeEncodeError, Refused) as error:
            self._session.execute("ROLLBACK TO some")
            raise Refused(str(error)) from error
        finally:
            self._session.execute("RELEASE some")
        return new

    def _remember(self, state: str) -> None:
        if self._session.execute(_REMEMBER, (state, self._order.name, self._order.holder)).rowcount != 1:
            raise Overtaken("Another worker writes this copy now.")


def _statements(target: str, names: Sequence[str], key: Sequence[str]) -> tuple[str, str]:
    """What puts in rows that are new and leaves the others, and what puts in all of them, a later one over an
    earlier: only the first says how many were new."""
    others = [name for name in names if name not in key] or key
    insert = (
        f"INSERT INTO {target} ({_listed(names)}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT ({_listed(key)}) DO "
    )
    changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
    return f"{insert} NOTHING", f"{insert} UPDATE SET {changes}"


def _rows(records: Records, declared: Mapping[str, str]) -> list[Row]:
    """The records as SQLite stores them in columns that are declared so; Refused where it cannot."""
    kinds = records.types()
    columns = [_column(records.column(name), kinds[name], declared[name].upper()) for name in records.names]
    return [*zip(*columns, strict=True)]


def _column(values: list[Any], kind: ColumnType, declared: str) -> list[Any]:
    match kind:
        case "number":
            if any(value != value for value in values):  # noqa: PLR0124  # NaN
                raise Refused("SQLite has no NaN.")
            return values
        case "boolean" | "integer" | "bytes":
            return values
        case "decimal" if declared == "TEXT":  # into numbers SQLite would round it
            return [value if value is None else str(value) for value in values]
    return [value if value is None or type(value) in _AS_THEY_ARE else _text(value) for value in values]


_AS_THEY_ARE = frozenset({str, int, float, bool, bytes})


def _text(value: Any) -> str:
    match value:
        case datetime():
            return value.isoformat(sep=" ")
        case date() | time():
            return value.isoformat()
        case Decimal():
            return str(value)
    return json_text(value)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))


@contextmanager
def _lasting() -> Iterator[None]:
    """What the database refuses once and for all."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise DoNotRetry(f"SQLite refuses: {error}.") from error
        raise
