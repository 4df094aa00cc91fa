"""PostgreSQL: each batch is copied into a table of the session, put from there into the one that is meant, and
remembered, all in one transaction."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg

from jobs.copying import CHECKPOINTS
from jobs.errors import DoNotRetry
from jobs.records.connections import Connection
from jobs.records.postgresql import open_postgresql, postgresql_faults, spelled, table_of
from jobs.records.table import Table, quoted
from workers.records import ColumnType, Records
from workers.sink import FORGET_DAYS, Order, Overtaken, Refusal, Refused, Remember, Upsert, Written, fitting, written

STAGE = "jobstream_stage"
LONGEST_NAME_BYTES = 63

TYPES: Mapping[ColumnType, str] = {
    "boolean": "boolean",
    "integer": "bigint",
    "number": "double precision",
    "decimal": "numeric",
    "text": "text",
    "bytes": "bytea",
    "date": "date",
    "time": "time",
    "timestamp": "timestamp",
    "instant": "timestamptz",
    "json": "jsonb",
}

_REFUSING = ("21", "22", "23", "44", "54", "P0")
"""What is wrong with a record, by the class of its SQLSTATE: its values, a constraint, its size, a trigger's word."""

_CHECKPOINTS = f"""
CREATE TABLE IF NOT EXISTS {CHECKPOINTS}
(copy text PRIMARY KEY, holder text NOT NULL, state text, changed_at timestamptz NOT NULL DEFAULT now())
"""

_TAKE = f"""
INSERT INTO {CHECKPOINTS} (copy, holder) VALUES ($1, $2)
ON CONFLICT (copy) DO UPDATE SET holder = excluded.holder, changed_at = now() RETURNING state
"""

_REMEMBER = f"UPDATE {CHECKPOINTS} SET state = $3, changed_at = now() WHERE copy = $1 AND holder = $2"

_SETTLE = f"UPDATE {CHECKPOINTS} SET changed_at = now() WHERE copy = $1"

_FORGET = f"DELETE FROM {CHECKPOINTS} WHERE changed_at < now() - make_interval(days => $1)"


@asynccontextmanager
async def open_sink(connection: Connection, order: Order) -> AsyncIterator["PostgresqlSink"]:
    """A sink with a session of its own."""
    async with open_postgresql(connection) as session:
        with postgresql_faults(connection.name):
            await session.execute("SET synchronous_commit = off")
            table = await table_of(session, order.copy.destination.table)
        if table is not None:
            table.check(order.key)
        yield PostgresqlSink(session, connection.name, order, table)


class _DryRun(Exception):
    """Undoes what was tried."""


class _SomeRefused(Exception):
    """Which of the records are refused will show when ever fewer of them are tried."""


class PostgresqlSink:
    """One copy's way into a table of PostgreSQL."""

    def __init__(self, session: asyncpg.Connection, name: str, order: Order, table: Table | None) -> None:
        self._session = session
        self._name = name
        self._order = order
        self._target = spelled(order.copy.destination.table)
        self._columns: Sequence[str] | None = None if table is None else [*table.columns]
        self._staged: tuple[str, ...] | None = None
        self._upserts = ("", "")
        self._filled = False
        self._twins = False

    def prepare(self, records: Records) -> None:
        _ = records.csv

    async def take(self) -> str | None:
        if self._order.copy.dry_run:
            return None
        with postgresql_faults(self._name):
            if await self._session.fetchval("SELECT to_regclass($1)", CHECKPOINTS) is None:
                await self._session.execute(_CHECKPOINTS)
            state: str | None = await self._session.fetchval(_TAKE, self._order.name, self._order.holder)
            await self._session.execute(_FORGET, FORGET_DAYS)
            return state

    async def write(self, records: Records, remember: Remember) -> Written:
        with postgresql_faults(self._name):
            try:
                return await self._write(records, remember, self._upsert_all)
            except _SomeRefused:
                return await self._write(records, remember, self._upsert_or_nothing)

    async def settle(self) -> None:
        if not self._order.copy.dry_run:
            with postgresql_faults(self._name):
                await self._session.execute("SET synchronous_commit = on")
                await self._session.execute(_SETTLE, self._order.name)

    async def _write(self, records: Records, remember: Remember, upsert: Upsert) -> Written:
        done, columns = Written(0, 0), self._columns
        with suppress(_DryRun):
            self._filled = False
            try:
                async with self._session.transaction():
                    done = await self._put(records, upsert)
                    await self._conclude(done, remember)
            except Exception:
                self._staged, self._columns = None, columns  # what was made is undone
                raise
        return done

    async def _put(self, records: Records, upsert: Upsert) -> Written:
        if not len(records):
            return Written(0, 0)
        if self._columns is None:
            self._columns = await self._create(records)
        known, places, strange = fitting(records, self._columns)
        if not places:
            return Written(0, 0, strange)
        done = await written(upsert, known, self._order.key)
        refusals = [Refusal(places[each.at], each.reason) for each in done.refusals]
        return Written(done.inserted, done.updated, [*strange, *refusals])

    async def _create(self, records: Records) -> Sequence[str]:
        """The columns of the table, which is made for such records; DoNotRetry for a name that would be cut off."""
        for name in (*self._order.copy.destination.table.split(".", 1), *records.names):
            if len(name.encode()) > LONGEST_NAME_BYTES:
                raise DoNotRetry(f"PostgreSQL has no names of over {LONGEST_NAME_BYTES} bytes, as {name} has.")
        columns = [f"{quoted(name)} {TYPES[kind]}" for name, kind in records.types().items()]
        primary = f"PRIMARY KEY ({_listed(self._order.key)})"
        await self._session.execute(f"CREATE TABLE {self._target} ({', '.join([*columns, primary])})")
        return records.names

    async def _upsert_all(self, records: Records) -> int:
        """As `_upsert`, and where that fails nothing more can be done in the transaction; most never do."""
        try:
            return await self._upsert(records)
        except Refused as error:
            raise _SomeRefused from error

    async def _upsert_or_nothing(self, records: Records) -> int:
        """As `_upsert`, and where that fails as if it had never been tried."""
        await self._stage(records.names)
        async with self._session.transaction():
            return await self._upsert(records)

    async def _upsert(self, records: Records) -> int:
        """How many of the records were new; Refused where the database refuses any."""
        await self._stage(records.names)
        try:
            return await self._staged_upsert(records)
        except asyncpg.PostgresError as error:
            if isinstance(error, asyncpg.CardinalityViolationError):
                self._twins = True  # from now on the last of those with one key is looked for
            if not (error.sqlstate or "").startswith(_REFUSING):
                raise
            raise Refused(str(error)) from error

    async def _staged_upsert(self, records: Records) -> int:
        await self._session.copy_to_table(
            STAGE, schema_name="pg_temp", columns=records.names, source=_whole(records.csv), format="csv"
        )
        self._filled = True
        new: int = await self._session.fetchval(self._upserts[self._twins])
        return new

    async def _stage(self, names: tuple[str, ...]) -> None:
        """An empty table of the session with these columns; it is emptied by the end of the transaction too."""
        if self._staged == names:
            if self._filled:
                await self._session.execute(f"TRUNCATE pg_temp.{STAGE}")
                self._filled = False
            return
        await self._session.execute(f"DROP TABLE IF EXISTS pg_temp.{STAGE}")
        await self._session.execute(
            f"CREATE TEMPORARY TABLE {STAGE} ON COMMIT DELETE ROWS "
            f"AS SELECT {_listed(names)} FROM {self._target} WITH NO DATA"
        )
        self._staged = names
        self._upserts = _upserts(self._target, names, self._order.key)

    async def _conclude(self, done: Written, remember: Remember) -> None:
        """Remember the batch, or undo it where nothing is to be written."""
        if self._order.copy.dry_run:
            raise _DryRun
        state = await remember(done)
        changed = await self._session.execute(_REMEMBER, self._order.name, self._order.holder, state)
        if changed != "UPDATE 1":
            raise Overtaken("Another worker writes this copy now.")


def _upserts(target: str, names: Sequence[str], key: Sequence[str]) -> tuple[str, str]:
    """What puts the stage into the table and says how many rows were new; the second where a key comes twice."""
    others = [name for name in names if name not in key] or key
    changes = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
    ending = f"""
        ON CONFLICT ({_listed(key)}) DO UPDATE SET {changes}
        RETURNING xmax = 0 AS new) SELECT count(*) FILTER (WHERE new) FROM written
    """
    staged, columns, keys = f"pg_temp.{STAGE}", _listed(names), _listed(key)
    begin = f"WITH written AS (INSERT INTO {target} ({columns})"
    last_of_twins = f"SELECT DISTINCT ON ({keys}) {columns} FROM {staged} ORDER BY {keys}, ctid DESC"
    return (
        f"{begin} SELECT {columns} FROM {staged} {ending}",
        f"{begin} {last_of_twins} {ending}",
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))


async def _whole(text: bytes) -> AsyncIterator[bytes]:
    yield text
