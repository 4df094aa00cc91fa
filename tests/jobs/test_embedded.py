"""The embedded store: one server per folder, gone with its starter, started again by whoever needs it."""

import asyncio
import logging
import os
import shutil
import signal
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import uvloop
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError

from jobs.embedded import open_embedded
from jobs.errors import StoreUnavailable

WAIT_SECONDS = 30.0


@asynccontextmanager
async def store_process(folder: Path, **settings: str) -> AsyncIterator[tuple[Process, str]]:
    """`python -m jobs.store` on the folder, and the URL that its line ends with."""
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jobs.store"),
        cwd=folder,
        env=environment | {"JOBSTREAM_DATA": str(folder)} | settings,
        stdout=PIPE,
    )
    try:
        assert process.stdout
        line = (await process.stdout.readline()).decode()
        yield process, line.split()[-1]
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Redis]:
    """A client that tries again while the store is being started, and not for ever."""
    retry = Retry(ConstantBackoff(0.05), retries=-1)
    async with (
        asyncio.timeout(WAIT_SECONDS),
        Redis.from_url(url, retry=retry, retry_on_error=[OSError, RedisError]) as redis,
    ):
        yield redis


async def server_pid(redis: Redis) -> int:
    """The server that answers now."""
    return int((await redis.info("server"))["process_id"])


async def until(condition: Callable[[], bool]) -> None:
    """Return when it holds."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():  # another process makes it true
            await asyncio.sleep(0.01)


async def has_heard(redis: Redis) -> None:
    """Return when the process asks the store who is still there."""
    async with asyncio.timeout(WAIT_SECONDS):
        while "info" not in {client["cmd"] for client in await redis.client_list()}:
            await asyncio.sleep(0.01)


def files(folder: Path) -> dict[str, int]:
    """The permissions of everything in the folder, by name."""
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*")}


def is_gone(pid: int) -> bool:
    """No process has this id, or it is dead and nobody has buried it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


async def test_what_was_acknowledged_and_synced_survives_kill_9_of_the_server(tmp_path: Path) -> None:
    """The guard starts another server on the same folder, and clients find it at the same place."""
    async with open_embedded(tmp_path) as store, connected(store.url) as redis:
        await redis.set("job", "accepted")
        assert await redis.waitaof(1, 0, 5000) == [1, 0]
        killed = await server_pid(redis)

        os.kill(killed, signal.SIGKILL)

        assert await redis.get("job") == b"accepted"
        assert await server_pid(redis) != killed


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_the_server_is_gone_when_its_starter_gets(end: signal.Signals, tmp_path: Path) -> None:
    """Nothing is left behind, whether the starter could still do something about it or not."""
    async with store_process(tmp_path) as (process, url):
        async with connected(url) as redis:
            server = await server_pid(redis)

        process.send_signal(end)
        await process.wait()

        await until(lambda: is_gone(server))


async def test_who_still_uses_the_store_starts_it_again_when_its_starter_was_killed(tmp_path: Path) -> None:
    """All that was acknowledged is there, synced or not: the server itself ended in order."""
    async with (
        store_process(tmp_path) as (process, _),
        open_embedded(tmp_path) as store,
        connected(store.url) as redis,
    ):
        first = await server_pid(redis)
        await redis.set("job", "accepted")

        process.kill()
        await until(lambda: is_gone(first))

        assert await redis.get("job") == b"accepted"


async def test_who_still_uses_the_store_starts_it_again_when_its_starter_stopped(tmp_path: Path) -> None:
    """The URL stays the same, so clients need not know."""
    async with AsyncExitStack() as starter:
        first = await starter.enter_async_context(open_embedded(tmp_path))
        async with open_embedded(tmp_path) as store, connected(store.url) as redis:
            await redis.set("job", "accepted")

            await starter.aclose()

            assert await redis.get("job") == b"accepted"
            assert store.url == first.url


async def test_starters_of_one_folder_at_the_same_time_share_one_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The lock lets one through, and the others find what it started."""
    caplog.set_level(logging.INFO, "jobs.embedded")
    async with AsyncExitStack() as stack:
        starts = (stack.enter_async_context(open_embedded(tmp_path)) for _ in range(4))
        stores = await asyncio.gather(*starts)

        assert len({store.url for store in stores}) == 1
    assert caplog.messages.count(f"starting the embedded store in {tmp_path}") == 1


async def test_a_stop_puts_everything_on_disk(tmp_path: Path) -> None:
    """What was written a moment before is synced, and there at the next start."""
    async with open_embedded(tmp_path) as store, connected(store.url) as redis:
        await redis.set("job", "accepted")
    assert "Calling fsync() on the AOF file" in (tmp_path / "valkey.log").read_text()

    async with open_embedded(tmp_path) as store, connected(store.url) as redis:
        assert await redis.get("job") == b"accepted"


async def test_a_store_that_is_told_to_end_lets_its_clients_go_first(tmp_path: Path) -> None:
    """A worker that gets the same signal can still hand its jobs back; the exit status says all is well."""
    async with store_process(tmp_path) as (process, url):
        async with connected(url) as redis:
            process.terminate()
            await has_heard(redis)

            assert await redis.set("job", "handed back")

        assert await process.wait() == 0


async def test_a_store_of_ones_own_leaves_nothing_to_run(tmp_path: Path) -> None:
    """The same Procfile serves with and without REDIS_URL."""
    async with store_process(tmp_path, REDIS_URL="redis://127.0.0.1:1") as (process, _):
        process.terminate()

        assert await process.wait() == 0
        assert files(tmp_path) == {}


@pytest.mark.parametrize("name", ["x" * 120, "a folder"], ids=["too long", "with a space"])
async def test_a_folder_whose_path_makes_no_address_works_too(name: str, tmp_path: Path) -> None:
    """The socket lies elsewhere, for every process at the same place, even after that was swept away."""
    folder = tmp_path / name
    async with open_embedded(folder) as other, open_embedded(folder) as store, connected(store.url) as redis:
        assert store.url == other.url
        await redis.set("job", "accepted")
    elsewhere = Path(store.url.removeprefix("unix://").partition("?")[0]).parent
    shutil.rmtree(elsewhere)

    async with open_embedded(folder) as store, connected(store.url) as redis:
        assert await redis.get("job") == b"accepted"

    shutil.rmtree(elsewhere)


async def test_nobody_else_can_connect_or_read_the_data(tmp_path: Path) -> None:
    """Even where the folder was there before."""
    async with open_embedded(tmp_path):
        modes = files(tmp_path)

    assert modes["valkey.sock"] == 0o700
    assert {name for name, mode in modes.items() if mode & 0o077} == {"lock", "valkey.log"}


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """The reader gets the server's own last words, and the place of the others."""
    (tmp_path / "appendonlydir").mkdir()
    (tmp_path / "appendonlydir" / "appendonly.aof.manifest").write_text("not a manifest")

    with pytest.raises(StoreUnavailable, match=rf"manifest file contains.*{tmp_path}/valkey.log"):
        async with open_embedded(tmp_path):
            pass


async def test_a_server_that_cannot_start_again_is_tried_until_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk heals without anybody starting our processes anew."""
    manifest = tmp_path / "appendonlydir" / "appendonly.aof.manifest"
    async with open_embedded(tmp_path) as store, connected(store.url) as redis:
        await redis.set("job", "accepted")
        sound = manifest.read_text()
        manifest.write_text("not a manifest")
        os.kill(await server_pid(redis), signal.SIGKILL)
        await until(lambda: "trying again" in caplog.text)

        manifest.write_text(sound)

        assert await redis.get("job") == b"accepted"


async def test_a_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    """A file is in the way."""
    (tmp_path / "file").touch()

    with pytest.raises(StoreUnavailable, match="set JOBSTREAM_DATA"):
        async with open_embedded(tmp_path / "file" / "folder"):
            pass


def test_the_store_runs_under_uvloop_too(tmp_path: Path) -> None:
    """uvloop starts processes in a way of its own, and the lock must reach the server there as well."""

    async def keep() -> bool:
        async with open_embedded(tmp_path) as store, open_embedded(tmp_path), connected(store.url) as redis:
            os.kill(await server_pid(redis), signal.SIGKILL)
            return bool(await redis.set("job", "accepted"))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(keep())
    assert (tmp_path / "valkey.log").read_text().count("Server initialized") == 2
