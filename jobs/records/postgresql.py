"""PostgreSQL, as far as both processes need it: a connection, and what a table is like. Only who has the extra
imports this."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from jobs.errors import ConnectionAway, DoNotRetry, JobError
from jobs.records.connections import Connection
from jobs.records.table import Table, quoted

CONNECT_SECONDS = 10.0
COMMAND_SECONDS = 300.0

_LASTING = ("0A", "28", "3D", "3F", "42")
"""What is as wrong the next time: features, rights, names. Everything else may be well a little later."""

_TWICE_MADE = ("42P07", "23505")

_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""

_UNIQUE = """
SELECT array_agg(attname::text) FROM pg_index JOIN pg_attribute
    ON attrelid = indrelid AND attnum = ANY ((indkey::int2[])[0:indnkeyatts - 1])
WHERE indrelid = to_regclass($1) AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL
    AND indexprs IS NULL
GROUP BY indexrelid
"""


@asynccontextmanager
async def open_postgresql(
    connection: Connection, *, seconds: float = CONNECT_SECONDS
) -> AsyncIterator[asyncpg.Connection]:
    """A session of its own; ConnectionAway where there is none to be had within `seconds`."""
    try:
        session = await asyncpg.connect(
            connection.url, timeout=seconds, command_timeout=COMMAND_SECONDS, server_settings=_SETTINGS
        )
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise DoNotRetry(f"The connection {connection.name} refuses us: look at its user and database.") from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise ConnectionAway(f"The connection {connection.name} does not answer.") from error
    try:
        yield session
    finally:
        session.terminate() if session.is_in_transaction() else await _closed(session)


@contextmanager
def postgresql_faults(name: str) -> Iterator[None]:
    """What the database says, in our words; its sentences hold no values where they are no record's."""
    try:
        yield
    except JobError:
        raise
    except asyncpg.PostgresError as error:
        if error.sqlstate in _TWICE_MADE or not (error.sqlstate or "").startswith(_LASTING):
            raise ConnectionAway(f"The connection {name} failed: {error.sqlstate}.") from error
        raise DoNotRetry(f"PostgreSQL refuses: {error}.") from error
    except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
        raise ConnectionAway(f"The connection {name} broke off.") from error


async def table_of(session: asyncpg.Connection, name: str) -> Table | None:
    """The table, None where there is none of that name."""
    if not (columns := await session.fetch(_COLUMNS, spelled(name))):
        return None
    unique = [frozenset(row[0]) for row in await session.fetch(_UNIQUE, spelled(name))]
    return Table({row[0]: row[1] for row in columns}, unique)


def spelled(name: str) -> str:
    """The table's name as SQL has it; what stands before the first dot is its schema."""
    return ".".join(quoted(part) for part in name.split(".", 1))


_SETTINGS = {"application_name": "jobstream", "datestyle": "ISO, YMD", "intervalstyle": "postgres", "timezone": "UTC"}


async def _closed(session: asyncpg.Connection) -> None:
    try:
        await session.close(timeout=5)
    except Exception:  # noqa: BLE001  # it is over either way
        session.terminate()
