"""Which stores are taken for jobs and which are refused, with what advice; waiting for one that is down."""

import asyncio
import logging
import os
import shutil
import socket
from pathlib import Path

import pytest
from redis.asyncio import Redis

from jobs.errors import StoreUnsuitable
from jobs.store import check, open_store, wait_for_store
from jobs.valkey import server_binary
from tests.valkey import running_valkey

WAIT_SECONDS = 30.0


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(params=["the embedded Valkey", "the machine's Redis"])
def program(request: pytest.FixtureRequest) -> Path:
    """Each server that jobs may be kept in; without Redis its tests are left out, unless all are wanted."""
    if request.param == "the embedded Valkey":
        return server_binary()
    if redis := shutil.which("redis-server"):
        return Path(redis)
    reason = "redis-server is not installed (Debian: apt-get install redis-server)"
    if os.environ.get("JOBSTREAM_TEST_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


async def test_a_store_that_keeps_jobs_is_taken(program: Path, tmp_path: Path) -> None:
    """The options of the embedded store are the ones that are asked for."""
    with running_valkey(tmp_path, program=program) as server:
        async with Redis.from_url(server.url) as redis:
            await check(redis, allow_volatile=False, allow_plain=False)


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (("--maxmemory-policy", "allkeys-lru"), "set maxmemory-policy noeviction"),
        (("--appendonly", "no"), "set appendonly yes .* or JOBSTREAM_ALLOW_VOLATILE=1"),
        (("--cluster-enabled", "yes"), "set cluster-enabled no"),
        (("--requirepass", "another"), "set its user and password in REDIS_URL"),
        (("--user", "default", "on", "nopass", "~*", "+@all", "-info"), "allow its user INFO"),
    ],
)
async def test_a_store_that_could_lose_jobs_is_refused(options: tuple[str, ...], advice: str, tmp_path: Path) -> None:
    """The sentence says what to set."""
    with running_valkey(tmp_path, *options) as server:
        async with Redis.from_url(server.url) as redis, asyncio.timeout(WAIT_SECONDS):
            with pytest.raises(StoreUnsuitable, match=advice):
                await check(redis, allow_volatile=False, allow_plain=False)


async def test_a_store_without_persistence_is_taken_from_who_allows_it(tmp_path: Path) -> None:
    """JOBSTREAM_ALLOW_VOLATILE=1 lifts this refusal."""
    with running_valkey(tmp_path, "--appendonly", "no") as server:
        async with Redis.from_url(server.url) as redis:
            await check(redis, allow_volatile=True, allow_plain=False)


@pytest.mark.parametrize("host", ["192.0.2.1", "store.example", "[2001:db8::1]"])
async def test_a_store_that_is_reached_in_the_open_is_refused_before_a_connection(host: str) -> None:
    """Nobody on the way reads the password; JOBSTREAM_ALLOW_PLAIN_REDIS=1 lifts this refusal."""
    async with Redis.from_url(f"redis://:secret@{host}:6379") as redis, asyncio.timeout(WAIT_SECONDS):
        with pytest.raises(StoreUnsuitable, match="use rediss://") as refusal:
            await check(redis, allow_volatile=False, allow_plain=False)

    assert "secret" not in str(refusal.value)


async def test_a_store_on_this_machine_is_taken_without_encryption(tmp_path: Path, free_port: int) -> None:
    """Nobody outside listens on loopback."""
    with running_valkey(tmp_path, "--port", str(free_port)):
        async with Redis(host="localhost", port=free_port) as redis:
            await check(redis, allow_volatile=False, allow_plain=False)


async def test_who_starts_while_the_store_is_down_waits_for_it_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No order of starting is asked of whoever runs the processes."""
    with running_valkey(tmp_path) as server:
        server.stop()
        async with Redis.from_url(server.url) as redis, asyncio.timeout(WAIT_SECONDS):
            waiting = asyncio.create_task(wait_for_store(redis))
            while not caplog.records:  # the log has no event to wait for
                await asyncio.sleep(0.01)
            assert not waiting.done()

            await asyncio.to_thread(server.start)
            await waiting

    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_the_store_that_is_named_is_the_one_that_is_used(tmp_path: Path) -> None:
    """With REDIS_URL nothing is started."""
    async with open_store("redis://127.0.0.1:1", tmp_path) as url:
        assert url == "redis://127.0.0.1:1"

    assert not (tmp_path / "valkey.sock").exists()


async def test_without_a_name_the_store_is_the_embedded_one(tmp_path: Path) -> None:
    """It answers, and it is fit to keep jobs."""
    async with open_store(None, tmp_path) as url, Redis.from_url(url) as redis:
        await check(redis, allow_volatile=False, allow_plain=False)
