"""The embedded store: one Valkey server per data folder, found where it runs and started where it doesn't.

The server itself holds the lock on its folder, so the lock lives exactly as long as the server. It listens
on a socket that is its user's alone, and on no port. It ends with the process that started it; whoever still
needs it then starts it again on the same folder.
"""

import asyncio
import fcntl
import logging
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import IO, NoReturn
from urllib.parse import quote

from redis.asyncio import Redis
from redis.exceptions import RedisError

from jobs.errors import StoreUnavailable
from jobs.valkey import server_binary, server_command

SOCKET_BYTES = 100  # a longer path cannot be a socket: macOS takes 103 bytes, Linux 107
LOG_BYTES = 1 << 20  # what the server says; beyond this the next start begins a new file and keeps one old
POLL_SECONDS = 0.02
PING_SECONDS = 1.0
STOP_SECONDS = 10.0
STEADY_SECONDS = 10.0  # a server that lived this long did not fail at its start
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 10.0

logger = logging.getLogger(__name__)


@asynccontextmanager
async def open_embedded(folder: Path, *, patience_seconds: float = 0.0) -> AsyncIterator["EmbeddedStore"]:
    """The store of the folder, answering, and kept so by a guard until the block ends.

    A server that was started here ends with the block, after its other clients or `patience_seconds`.
    """
    store = EmbeddedStore(_make_private(folder))
    guard: asyncio.Task[NoReturn] | None = None
    try:
        await store.ensure()
        guard = asyncio.create_task(store.guard())  # no task group: it would wrap what the block raises
        yield store
    finally:
        if guard:
            guard.cancel()
            await asyncio.wait([guard])
        await store.stop(patience_seconds)


class EmbeddedStore:
    """The server of one data folder, whoever started it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = _socket_of(folder)
        self._log = folder / "valkey.log"
        self._server: asyncio.subprocess.Process | None = None  # the last one that was started here

    @property
    def url(self) -> str:
        """Where the server listens, for any Redis client; the same for as long as the folder exists."""
        return f"unix://{self._socket}?db=0"

    async def ensure(self) -> None:
        """Return once the server answers, started here if need be; StoreUnavailable if it cannot start."""
        server = None
        while not await self._answers():
            if server and server.returncode is not None:
                raise StoreUnavailable(f"The embedded store did not start: {self._last_words()}")
            server = server or await self._start()  # None: somebody else's loads, or is about to end
            await asyncio.sleep(POLL_SECONDS)

    async def guard(self) -> NoReturn:
        """Start the server again whenever it is gone, and the more slowly the oftener it fails at once."""
        pause = PAUSE_SECONDS
        clock = asyncio.get_running_loop().time
        while True:
            found = clock()
            await self._until_gone()
            steady = clock() - found > STEADY_SECONDS
            pause = PAUSE_SECONDS if steady else min(2 * pause, LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)
            try:
                await self.ensure()
            except StoreUnavailable as error:
                logger.warning("%s; trying again", error)

    async def stop(self, patience_seconds: float) -> None:
        """End the server if it was started here and still runs; all it acknowledged is on disk then."""
        if not (server := self._server) or server.returncode is not None:
            return
        await self._until_alone(patience_seconds)
        with suppress(ProcessLookupError):
            server.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await server.wait()
            except TimeoutError:
                server.kill()
                await server.wait()

    async def _start(self) -> asyncio.subprocess.Process | None:
        """The server's process, just begun; None while another one holds the folder's lock."""
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return None
            logger.info("starting the embedded store in %s", self._folder)
            self._server = await self._run_server(lock.fileno())
            return self._server

    async def _run_server(self, lock: int) -> asyncio.subprocess.Process:
        _make_private(self._socket.parent)
        with self._open_log() as log:
            return await asyncio.create_subprocess_exec(
                *server_command(server_binary(), self._folder, self._socket),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                pass_fds=[lock],
                env={},  # it needs nothing of ours, and there are secrets in it
                start_new_session=True,  # Ctrl-C in a terminal is for its starter, who ends it last
            )

    def _open_log(self) -> IO[bytes]:
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            self._log.replace(self._log.with_suffix(".log.1"))
        return self._log.open("ab")

    def _last_words(self) -> str:
        last = self._log.read_text(errors="replace").strip().rpartition("\n")[2]
        return f"{last} ({self._log})"

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(PING_SECONDS), self._connected() as (reader, writer):
                writer.write(b"PING\r\n")
                return await reader.readline() == b"+PONG\r\n"
        except OSError:
            return False

    async def _until_gone(self) -> None:
        with suppress(OSError):
            async with self._connected() as (reader, _):
                await reader.read()  # nothing comes but the end

    async def _until_alone(self, patience_seconds: float) -> None:
        with suppress(TimeoutError, RedisError):
            async with asyncio.timeout(patience_seconds), Redis.from_url(self.url) as redis:
                while (await redis.info("clients"))["connected_clients"] > 1:  # noqa: ASYNC110  # its, not ours
                    await asyncio.sleep(POLL_SECONDS)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_unix_connection(str(self._socket))
        with closing(writer):
            yield reader, writer


def _socket_of(folder: Path) -> Path:
    """In the folder, or if that makes no good address, in a private one that a link in it names."""
    socket = folder / "valkey.sock"
    if len(os.fsencode(socket)) <= SOCKET_BYTES and quote(str(socket)) == str(socket):
        return socket
    link = folder / "socket-folder"
    if not link.is_symlink():
        with suppress(FileExistsError):  # another process was quicker: its link counts
            link.symlink_to(tempfile.mkdtemp(prefix="jobstream-"))
    return link.readlink() / socket.name


def _make_private(folder: Path) -> Path:
    """The folder, absolute, made for its user alone if it is missing."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"{folder}: {error.strerror}; set JOBSTREAM_DATA to a folder of yours.") from error
    return folder.resolve()
