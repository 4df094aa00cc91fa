"""One connection to the store that does nothing but listen: all that its socket brought is read at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, cast

import hiredis
from redis.asyncio import Connection

from jobs.connection import connect

Reply = Sequence[Any]
"""What the store says by itself: its kind, then the channel, then the data."""

Hear = Callable[[list[Reply]], None]


class Subscription(Protocol):
    """An open subscription; whoever opened it is told all that it hears."""

    @property
    def lost(self) -> "asyncio.Future[str]":
        """Done, with the reason, once nothing more will be heard."""

    def subscribe(self, *channels: bytes) -> None:
        """Listen to these channels, too; a reply of the kind `subscribe` confirms each."""

    def unsubscribe(self, *channels: bytes) -> None:
        """Listen to these channels no more."""

    def ping(self) -> None:
        """Ask for a sign of life."""


@asynccontextmanager
async def open_subscription(url: str, hear: Hear) -> AsyncIterator[Subscription]:
    """A subscription to nothing yet. redis-py connects and signs in, by whatever the URL asks for; then its socket
    is ours, since its own reader takes one message at a time and several times as long for it."""
    async with connect(url, most=1) as client:
        connection = cast(Connection, await client.connection_pool.get_connection("SUBSCRIBE"))
        writer = connection._writer  # noqa: SLF001  # it is not to be had otherwise
        if writer is None:
            raise ConnectionError("The connection was lost before it was used.")
        transport = cast(asyncio.Transport, writer.transport)
        line = _Line(transport, hear)
        transport.set_protocol(line)
        try:
            yield line
        finally:
            transport.abort()


class _Line(asyncio.Protocol):
    """The socket's protocol from then on."""

    def __init__(self, transport: asyncio.Transport, hear: Hear) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._transport = transport
        self._before = transport.get_protocol()
        self._hear = hear
        self._reader = hiredis.Reader()

    def subscribe(self, *channels: bytes) -> None:
        self._send(b"SUBSCRIBE", *channels)

    def unsubscribe(self, *channels: bytes) -> None:
        self._send(b"UNSUBSCRIBE", *channels)

    def ping(self) -> None:
        self._send(b"PING")

    def data_received(self, data: bytes) -> None:
        replies = []
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                replies.append(reply)
        except hiredis.ProtocolError as error:
            self._lose(f"not a word of the store's: {error}")
        refusals = [reply for reply in replies if isinstance(reply, hiredis.ReplyError)]
        if refusals:
            self._lose(f"refused: {refusals[0]}")
        self._hear([reply for reply in replies if isinstance(reply, list)])

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(type(exc).__name__ if exc else "closed")
        if self._before is not None:
            self._before.connection_lost(exc)  # redis-py waits for it when it closes

    def _lose(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)

    def _send(self, *words: bytes) -> None:
        parts = [b"*%d\r\n" % len(words)]
        parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
        self._transport.write(b"".join(parts))
