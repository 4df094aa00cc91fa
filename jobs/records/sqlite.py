"""SQLite, as far as both processes need it: a connection, and what a table is like. Its calls block."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from jobs.errors import ConnectionAway, DoNotRetry
from jobs.records.connections import Connection
from jobs.records.table import Table, quoted

BUSY_SECONDS = 30.0

_NO_DATABASE = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


@contextmanager
def open_sqlite(
    connection: Connection, *, seconds: float = BUSY_SECONDS, read_only: bool = False
) -> Iterator[sqlite3.Connection]:
    """A session whose transactions begin and end where they are told to; it waits `seconds` for other writers."""
    with sqlite_faults(connection):
        mode = "ro" if read_only else "rwc"
        session = sqlite3.connect(
            f"file:{_escaped(connection.path)}?mode={mode}",
            uri=True,
            timeout=seconds,
            isolation_level=None,
            check_same_thread=False,
        )
    with closing(session):
        yield session


@contextmanager
def sqlite_faults(connection: Connection) -> Iterator[None]:
    """A file that cannot be used now as ConnectionAway, one that is no database as DoNotRetry."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise ConnectionAway(f"The connection {connection.name} cannot be used: {error}.") from error
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode in _NO_DATABASE:
            raise DoNotRetry(f"The connection {connection.name} cannot be used: {error}.") from error
        raise


def table_of(session: sqlite3.Connection, name: str) -> Table | None:
    """The table, None where there is none of that name."""
    rows = session.execute(f"PRAGMA table_xinfo({quoted(name)})").fetchall()
    if not rows:
        return None
    primary = frozenset(row[1] for row in rows if row[5])
    unique = [
        frozenset(row[2] for row in session.execute(f"PRAGMA index_info({quoted(index[1])})"))
        for index in session.execute(f"PRAGMA index_list({quoted(name)})").fetchall()
        if index[2] and not index[4]
    ]
    return Table({row[1]: row[2] for row in rows if row[6] == 0}, [*unique, *([primary] if primary else [])])


def _escaped(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
