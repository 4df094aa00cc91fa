"""Connections to the store, and what its faults mean to us."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from importlib import resources
from typing import Any, cast

import orjson
import redis
import redis.retry
import redis.sentinel
from arq.connections import ArqRedis
from redis.asyncio import BlockingConnectionPool, Connection
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import BusyLoadingError, OutOfMemoryError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from jobs import keys
from jobs.clock import MICROSECONDS
from jobs.encryption import UNSEALED, Sealer
from jobs.errors import StorageFull, StoreUnavailable
from jobs.line import Line
from jobs.model import POISON
from jobs.sentinels import Sentinels
from jobs.shared import Shared
from jobs.turns import Turns

CALL_SECONDS = 2.0
"""How long the store may owe an answer and say nothing before it counts as unavailable; without it a frozen one hangs
us for ever."""

FREE_SECONDS = 2
"""How long a call waits for a connection when all are in use, and none of those calls is answered."""

MAKES_ROOM = frozenset({"cancel", "forget", "trim"})
"""The scripts that a store which is out of memory still runs, since they free some."""


BLOCKING = frozenset({"BLPOP"})
"""Commands that keep a connection to themselves: whatever is behind them on a shared one would wait."""


class Client(ArqRedis):
    """A client of the store; with it goes what seals what the store is given to keep, and opens it again.

    Calls share one connection, and wait for nobody but the store; transactions, pipelines and what blocks take one
    of the pool's. A call that is cancelled may have left already."""

    sealer: Sealer = UNSEALED

    async def now_us(self) -> int:
        """The store's clock, in microseconds."""
        seconds, microseconds = await self.time()
        return int(seconds) * MICROSECONDS + int(microseconds)

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """What redis-py makes of the store's answer."""
        if args[0] in BLOCKING:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        line = await cast(_Pool, self.connection_pool).line()
        return await self.parse_response(cast(Connection, _Answer(line.call(*args))), args[0], **options)


@asynccontextmanager
async def connect(
    url: str, *, call_seconds: float = CALL_SECONDS, most: int = 64, sealer: Sealer = UNSEALED
) -> AsyncIterator[Client]:
    """A client of the store with a pool of its own; blocking reads want one with a longer `call_seconds`."""
    client = open_client(url, call_seconds=call_seconds, most=most)
    client.sealer = sealer
    try:
        yield client
    finally:
        await client.aclose(close_connection_pool=True)


class _Answer:
    """An answer of the line's, in the place of a connection that redis-py would read it from."""

    def __init__(self, answer: asyncio.Future[Any]) -> None:
        self._answer = answer

    async def read_response(self, **_: Any) -> Any:
        return await self._answer


def open_client(url: str, *, call_seconds: float = CALL_SECONDS, most: int = 64) -> Client:
    """The same client for who closes it by hand; it connects at its first call."""
    retry = Retry(NoBackoff(), 0)  # a call sent twice must be one that we know can be
    options = {**_bounds(call_seconds), "retry": retry, "timeout": FREE_SECONDS, "max_connections": most}
    if sentinels := Sentinels.named_in(url):
        pool: _Pool = _MasterPool(sentinels, **options)
    else:
        pool = _Pool.from_url(url, **options, **_checks(url))
    return Client(pool, job_serializer=orjson.dumps, job_deserializer=orjson.loads, default_queue_name=keys.QUEUE)


def open_thread_client(url: str, *, call_seconds: float) -> redis.Redis:
    """A client for a thread that has no event loop; it connects at its first call."""
    options = {**_bounds(call_seconds), "retry": redis.retry.Retry(NoBackoff(), 0)}
    if sentinels := Sentinels.named_in(url):
        asked = redis.sentinel.Sentinel(sentinels.places, sentinel_kwargs=sentinels.to_sentinel)  # type: ignore[no-untyped-call]
        master: redis.Redis = asked.master_for(sentinels.master, **sentinels.to_server, **options)  # type: ignore[no-untyped-call]
        return master
    return redis.Redis.from_url(url, **options, **_checks(url))


def _bounds(call_seconds: float) -> dict[str, Any]:
    """Every call has an end."""
    return {"socket_timeout": call_seconds, "socket_connect_timeout": min(call_seconds, CALL_SECONDS)}


def _checks(url: str) -> dict[str, Any]:
    return {"ssl_check_hostname": True} if url.startswith("rediss:") else {}


class _Cancellable(AbstractConnection):
    """A connection whose user can be cancelled at any moment: redis-py waits for its socket to take a command with
    `asyncio.wait_for`, which on Python 3.11 swallows a cancel that comes as it ends."""

    def __init__(self, *, socket_timeout: float, **options: Any) -> None:
        super().__init__(**options)  # without a time-out there is no `wait_for`
        self._call_seconds = socket_timeout

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        async with asyncio.timeout(self._call_seconds):
            await super().send_packed_command(*arguments, **options)

    async def read_response(self, *, timeout: float | None = None, **options: Any) -> Any:  # type: ignore[override]  # noqa: ASYNC109  # redis-py has it so, and gives all by name
        async with asyncio.timeout(self._call_seconds if timeout is None else None):
            return await super().read_response(timeout=timeout, **options)


class _Pool(BlockingConnectionPool):
    """Connections of either kind of socket; who finds none free waits for one, and not for others to connect.

    First come, first served: in redis-py's own queue, whoever comes just then goes before those who wait, and a crowd
    keeps some of them waiting until their time is over."""

    def __init__(self, connection_class: type[AbstractConnection] = Connection, **options: Any) -> None:
        super().__init__(connection_class=type("Connection", (_Cancellable, connection_class), {}), **options)
        self._call_seconds: float = options["socket_timeout"]
        self._turns = Turns(self.max_connections, seconds=FREE_SECONDS)
        self._lent: set[AbstractConnection] = set()
        self._line: Line | None = None
        self._opening: Shared[None, Line] = Shared()

    async def line(self) -> Line:
        """The connection that all calls share; who finds it gone opens it anew, for all."""
        if self._line is None or self._line.lost:
            return await self._opening.get(None, self._open_line)
        return self._line

    async def _open_line(self) -> Line:
        connection = cast(AbstractConnection, self.make_connection())  # type: ignore[no-untyped-call]
        await connection.connect()  # type: ignore[no-untyped-call]
        self._line = Line(connection, silent_seconds=self._call_seconds)
        return self._line

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002  # redis-py has it so
        if self._line is not None:
            self._line.close()
        await super().disconnect(inuse_connections)

    async def get_connection(self, *_: Any, **__: Any) -> AbstractConnection:  # redis-py names the command, in vain
        try:
            await self._turns.take()
        except TimeoutError:
            raise RedisConnectionError("No connection is free.") from None
        try:
            connection: AbstractConnection = await super().get_connection()
        except BaseException:
            self._turns.end(well=False)
            raise
        self._lent.add(connection)
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        answered = connection.is_connected  # it is closed by a call that fails
        try:
            await super().release(connection)
        finally:
            if connection in self._lent:
                self._lent.discard(connection)
                self._turns.end(well=answered)


class _MasterPool(SentinelConnectionPool, _Pool):
    """Connections to whichever server the Sentinels call the master when they are made. All of them are closed when
    that is another one, or says that it takes no writes any more."""

    def __init__(self, sentinels: Sentinels, **options: Any) -> None:
        asked = Sentinel(sentinels.places, sentinel_kwargs=sentinels.to_sentinel)  # type: ignore[no-untyped-call]
        options["host"] = sentinels.master  # until one is named: nobody can tell where that will be
        super().__init__(sentinels.master, asked, **sentinels.to_server, **options)  # type: ignore[no-untyped-call]

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002  # redis-py has it so
        await super().disconnect(inuse_connections)
        for asked in self.sentinel_manager.sentinels:
            await asked.connection_pool.disconnect(inuse_connections)


@contextmanager
def store_faults() -> Iterator[None]:
    """Turns what the store client raises into StoreUnavailable or StorageFull; our mistakes pass as they are."""
    try:
        yield
    except OutOfMemoryError as error:
        raise StorageFull("The store is out of memory; raise its maxmemory or delete jobs.") from error
    except (RedisConnectionError, RedisTimeoutError, BusyLoadingError, OSError) as error:
        raise StoreUnavailable("The store does not answer; try again in a moment.") from error
    except ReadOnlyError as error:
        raise StoreUnavailable("The store is read-only just now; try again in a moment.") from error
    except ResponseError as error:
        _raise_for(str(error), error)
        raise
    except RedisError as error:
        raise StoreUnavailable("The store gave no usable answer; try again in a moment.") from error


def _raise_for(reply: str, error: ResponseError) -> None:
    """Scripts bring a server's refusal inside a longer sentence."""
    if "OOM" in reply:
        raise StorageFull("The store is out of memory; raise its maxmemory or delete jobs.") from error
    if "MISCONF" in reply:
        raise StorageFull("The store cannot write to its disk; free some space there.") from error
    if any(word in reply for word in ("NOREPLICAS", "LOADING", "READONLY", "MASTERDOWN", "BUSY ")):
        raise StoreUnavailable("The store takes no writes just now; try again in a moment.") from error


class Script:
    """One of the scripts in `jobs/lua`, run as one atomic act of the store."""

    def __init__(self, client: Client, name: str) -> None:
        self._script: AsyncScript = client.register_script(script_text(name))

    async def __call__(self, *arguments: str | bytes | float, client: Any = None) -> Any:
        """The script's answer, undecoded; StoreUnavailable or StorageFull where there is none."""
        with store_faults():
            return await self._script(keys=(), args=arguments, client=client)


@cache
def script_text(name: str) -> str:
    """The script with what all of them share in front."""
    named = {**keys.script_constants(), "POISON": POISON.model_dump_json()}
    constants = "".join(f"local {name} = '{value}'\n" for name, value in named.items())
    folder = resources.files("jobs") / "lua"
    flags = "#!lua flags=allow-oom\n" if name in MAKES_ROOM else ""
    return flags + constants + (folder / "lib.lua").read_text() + (folder / f"{name}.lua").read_text()
