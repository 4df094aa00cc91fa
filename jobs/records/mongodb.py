"""MongoDB, as far as both processes need it: a connection, and what a collection is like. Only who has the extra
imports this."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, InvalidName, OperationFailure, PyMongoError

from jobs.errors import ConnectionAway, DoNotRetry
from jobs.records.connections import Connection
from jobs.records.table import Table

Database = AsyncDatabase[dict[str, Any]]

ANSWER_SECONDS = 10.0
COMMAND_SECONDS = 300.0

_REFUSALS = frozenset({13, 18})  # unauthorized, authentication failed


@asynccontextmanager
async def open_mongodb(connection: Connection, *, seconds: float = ANSWER_SECONDS) -> AsyncIterator[Database]:
    """The connection's database; what fails in the block for want of a server is ConnectionAway."""
    try:
        async with AsyncMongoClient[dict[str, Any]](
            connection.url,
            serverSelectionTimeoutMS=round(1000 * seconds),
            connectTimeoutMS=round(1000 * seconds),
            socketTimeoutMS=round(1000 * COMMAND_SECONDS),
            retryWrites=False,  # a batch that was sent twice would be counted wrong
            maxPoolSize=2,
            appname="jobstream",
            tz_aware=True,
        ) as client:
            yield client.get_default_database()
    except ConfigurationError as error:
        raise DoNotRetry(f"The connection {connection.name} cannot be used as its URL stands.") from error
    except InvalidName as error:
        raise DoNotRetry("MongoDB has no collections of this name.") from error
    except OperationFailure as error:
        if error.code in _REFUSALS:
            raise DoNotRetry(f"The connection {connection.name} refuses us: look at its user.") from error
        raise ConnectionAway(f"The connection {connection.name} failed: code {error.code}.") from error
    except PyMongoError as error:
        raise ConnectionAway(f"The connection {connection.name} does not answer.") from error


async def table_of(database: Database, name: str) -> Table | None:
    """The collection, None where there is none of that name; it has no columns of its own."""
    if not await database.list_collection_names(filter={"name": name}):
        return None
    indexes = await database[name].index_information()
    unique = [
        frozenset(column for column, _ in index["key"])
        for index in indexes.values()
        if index.get("unique") and not index.get("partialFilterExpression") and not index.get("sparse")
    ]
    return Table({}, [*unique, frozenset({"_id"})])
