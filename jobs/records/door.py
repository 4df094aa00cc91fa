"""What is looked at when a copy is submitted, so that one that cannot succeed is never begun."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from jobs.copying import Copy
from jobs.errors import ConnectionAway, DoNotRetry, ExtraMissing, InvalidInput, OutsideRoot, Violation
from jobs.records import sqlite
from jobs.records.connections import Connection, Connections
from jobs.records.extras import extra
from jobs.records.folder import check_relative, folder_of
from jobs.records.table import NoUniqueKey, Table

LOOK_SECONDS = 3.0
"""How long the destination may take to say what its table is like; one that does not is the job's to wait for."""

_FILES = ("file", "s3")
_TABLES = ("postgresql", "mongodb", "sqlite")


async def check_copy(connections: Connections, copy: Copy) -> None:
    """InvalidInput names what is wrong with the copy: a connection that there is not, a path outside of its root, a
    table without a unique index on the key. A destination that does not answer in time, or cannot be looked at, is
    not held against it: its job will say so."""
    _refuse(_wrong_with_names(connections, copy))
    source, destination = connections[copy.source.connection], connections[copy.destination.connection]
    _refuse(await asyncio.to_thread(lambda: [*_wrong_with_path(source, copy.source.path)]))
    with suppress(ConnectionAway, DoNotRetry, TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            _refuse(_wrong_with_key(await table_at(destination, copy.destination.table), copy.key))


async def table_at(connection: Connection, name: str) -> Table | None:
    """The table that the connection has of that name."""
    match connection.scheme:
        case "postgresql":
            with extra("postgresql"):
                from jobs.records import postgresql  # noqa: PLC0415
            async with postgresql.open_postgresql(connection, seconds=LOOK_SECONDS) as session:
                with postgresql.postgresql_faults(connection.name):
                    return await postgresql.table_of(session, name)
        case "mongodb":
            with extra("mongodb"):
                from jobs.records import mongodb  # noqa: PLC0415
            async with mongodb.open_mongodb(connection, seconds=LOOK_SECONDS) as database:
                return await mongodb.table_of(database, name)
    return await asyncio.to_thread(_sqlite_table, connection, name)


def _sqlite_table(connection: Connection, name: str) -> Table | None:
    looking = sqlite.open_sqlite(connection, seconds=LOOK_SECONDS, read_only=True)
    with sqlite.sqlite_faults(connection), looking as session:
        return sqlite.table_of(session, name)


def _wrong_with_names(connections: Connections, copy: Copy) -> Iterator[Violation]:
    source = connections.get(copy.source.connection)
    destination = connections.get(copy.destination.connection)
    if source is None or source.scheme not in _FILES:
        yield Violation("/input/source/connection", "no connection of this name has files (file://, s3://)")
    if destination is None or destination.scheme not in _TABLES:
        yield Violation(
            "/input/destination/connection",
            "no connection of this name has tables (postgresql://, mongodb://, sqlite://)",
        )


def _wrong_with_path(source: Connection, path: str) -> Iterator[Violation]:
    try:
        check_relative(path)
        with suppress(ExtraMissing):
            folder_of(source).check(path)
    except OutsideRoot:
        yield Violation("/input/source/path", "must lead to what is below the connection's root")


def _wrong_with_key(table: Table | None, key: list[str]) -> Iterator[Violation]:
    try:
        if table is not None:
            table.check(key)
    except NoUniqueKey:
        yield Violation("/input/key", "the table has no primary key and no unique index on exactly these columns")


def _refuse(violations: Iterator[Violation] | list[Violation]) -> None:
    if wrong := tuple(violations):
        raise InvalidInput("The input does not fit copy-records.", violations=wrong)
