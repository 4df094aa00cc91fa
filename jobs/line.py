"""One connection to the store that all calls share: each leaves when it is made, and is answered in its turn."""

import asyncio
from collections import deque
from typing import Any, cast

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ReadOnlyError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError


class Line(asyncio.Protocol):
    """An open connection. A store that owes an answer and says nothing at all for so long is away, and so is one that
    takes no writes any more: then the line is lost, with every answer that is still owed on it."""

    def __init__(self, connection: AbstractConnection, *, silent_seconds: float) -> None:
        self.lost = False
        self._connection = connection
        self._silent_seconds = silent_seconds
        self._owed: deque[asyncio.Future[Any]] = deque()
        self._unsent: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._heard_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        parser, reader, writer = connection._parser, connection._reader, connection._writer  # noqa: SLF001  # they are not to be had otherwise
        if reader is None or writer is None or reader.at_eof() or writer.is_closing():
            raise RedisConnectionError("The connection was lost before it was used.")
        self._reader = hiredis.Reader(protocolError=InvalidResponse, replyError=parser.parse_error)
        self._transport = cast(asyncio.Transport, writer.transport)
        self._before = self._transport.get_protocol()
        self._transport.set_protocol(self)

    def call(self, *command: Any) -> "asyncio.Future[Any]":
        """The answer to the command, once it has come; a caller that is gone by then hinders nobody. What is called
        at the same moment leaves together."""
        if self.lost:
            raise RedisConnectionError("The connection was lost.")
        packed = self._connection.pack_command(*command)
        if not self._owed:
            self._heard_at = self._loop.time()
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent += packed
        answer = self._loop.create_future()
        self._owed.append(answer)
        return answer

    def close(self) -> None:
        """Call the store no more."""
        self._lose(RedisConnectionError("The connection was closed."))

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        try:
            self._reader.feed(data)
            while (reply := self._reader.gets()) is not False:
                self._settle(reply)
        except (InvalidResponse, IndexError) as error:
            self._lose(RedisConnectionError(f"The store said what nobody asked for: {type(error).__name__}."))

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(RedisConnectionError(f"The connection was lost: {type(exc).__name__ if exc else 'closed'}."))
        if self._before is not None:
            self._before.connection_lost(exc)  # redis-py's own, which waits for it when it closes

    def _send(self) -> None:
        unsent, self._unsent = self._unsent, []
        if self.lost:
            return
        if self._timer is None:
            self._timer = self._loop.call_later(self._silent_seconds, self._look)
        self._transport.write(b"".join(unsent))

    def _settle(self, reply: Any) -> None:
        answer = self._owed.popleft()
        if isinstance(reply, RedisError):
            if not answer.done():
                answer.set_exception(reply)
            if isinstance(reply, RedisConnectionError | ReadOnlyError):
                self._lose(RedisConnectionError("The store serves this connection no more."))
        elif not answer.done():
            answer.set_result(reply)

    def _look(self) -> None:
        """Whether the store still speaks, where it owes something. Event loops look at their sockets first, so what
        has come while ours was late has been heard by now."""
        self._timer = None
        if not self._owed:
            return
        left = self._heard_at + self._silent_seconds - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(left, self._look)
        else:
            self._lose(RedisTimeoutError("The store does not answer."))

    def _lose(self, reason: RedisError) -> None:
        if self.lost:
            return
        self.lost = True
        if self._timer is not None:
            self._timer.cancel()
        self._transport.abort()
        while self._owed:
            answer = self._owed.popleft()
            if not answer.done():
                answer.set_exception(reason)
