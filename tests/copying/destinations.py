"""Where copies go in the tests: one way to ask each destination the same things."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from pymongo import AsyncMongoClient

from jobs.records.table import quoted
from tests.copying.servers import PostgresqlServer

Rows = list[dict[str, Any]]


class Destination(Protocol):
    """A database that a test has for itself."""

    url: str

    async def make(self, table: str, *, unique: Sequence[str] = ()) -> None:
        """A table of the columns `id` (an integer) and `name` (a text)."""

    async def rows(self, table: str) -> Rows:
        """What the table holds, in the order of `id`; empty where there is no table."""


@dataclass
class Postgresql:
    server: PostgresqlServer
    database: str

    @property
    def url(self) -> str:
        return self.server.url(self.database)

    async def execute(self, statement: str) -> None:
        session = await self.server.connect(self.database)
        await session.execute(statement)
        await session.close()

    async def make(self, table: str, *, unique: Sequence[str] = ()) -> None:
        await self.execute(_made(table, unique))

    async def rows(self, table: str) -> Rows:
        session = await self.server.connect(self.database)
        there = await session.fetchval("SELECT to_regclass($1)", quoted(table))
        found = await session.fetch(f'SELECT * FROM {quoted(table)} ORDER BY "id"') if there else []  # noqa: S608
        await session.close()
        return [dict(row) for row in found]


@dataclass
class Sqlite:
    file: Path

    @property
    def url(self) -> str:
        return f"sqlite://{self.file}"

    async def make(self, table: str, *, unique: Sequence[str] = ()) -> None:
        with closing(sqlite3.connect(self.file)) as session:
            session.execute(_made(table, unique))

    async def rows(self, table: str) -> Rows:
        with closing(sqlite3.connect(self.file)) as session:
            session.row_factory = sqlite3.Row
            there = session.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
            found = session.execute(f'SELECT * FROM {quoted(table)} ORDER BY "id"') if there else []  # noqa: S608
            return [dict(row) for row in found]


@dataclass
class Mongodb:
    server_url: str
    database: str

    @property
    def url(self) -> str:
        return f"{self.server_url}/{self.database}"

    async def make(self, table: str, *, unique: Sequence[str] = ()) -> None:
        async with AsyncMongoClient[dict[str, Any]](self.url) as client:
            await client[self.database].create_collection(table)
            if unique:
                await client[self.database][table].create_index([(column, 1) for column in unique], unique=True)

    async def rows(self, table: str) -> Rows:
        async with AsyncMongoClient[dict[str, Any]](self.url) as client:
            return [row async for row in client[self.database][table].find({}, {"_id": 0}).sort("id", 1)]


def _made(table: str, unique: Sequence[str]) -> str:
    keys = f", UNIQUE ({', '.join(map(quoted, unique))})" if unique else ""
    return f"CREATE TABLE {quoted(table)} (id integer NOT NULL, name text{keys})"


@asynccontextmanager
async def own_database(server: PostgresqlServer) -> AsyncIterator[Postgresql]:
    """A database that is gone when the block ends."""
    name = f"test_{uuid4().hex}"
    await Postgresql(server, "postgres").execute(f"CREATE DATABASE {name}")
    yield Postgresql(server, name)
    await Postgresql(server, "postgres").execute(f"DROP DATABASE {name} WITH (FORCE)")
