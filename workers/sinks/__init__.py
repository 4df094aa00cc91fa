"""Every destination, by the scheme of its connection."""

from contextlib import AbstractAsyncContextManager

from jobs.errors import DoNotRetry
from jobs.records.connections import Connection
from jobs.records.extras import extra
from workers.sink import Order, Sink
from workers.sinks import sqlite


def open_sink(connection: Connection, order: Order) -> AbstractAsyncContextManager[Sink]:
    """The copy's way into its table; what it opened is closed when the block ends."""
    match connection.scheme:
        case "postgresql":
            with extra("postgresql"):
                from workers.sinks import postgresql  # noqa: PLC0415
            return postgresql.open_sink(connection, order)
        case "mongodb":
            with extra("mongodb"):
                from workers.sinks import mongodb  # noqa: PLC0415
            return mongodb.open_sink(connection, order)
        case "sqlite":
            return sqlite.open_sink(connection, order)
    raise DoNotRetry(f"The connection {connection.name} has no tables.")
