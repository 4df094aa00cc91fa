"""The whole product with encryption on: nothing that anybody said can be found anywhere, and keys are changed while
it is said."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
import redis

from tests.api import Api, Follower, comparable, digest
from tests.encryption.keys import FIRST, SECOND
from tests.encryption.saying import CANARY, say_everything
from tests.jobs.patience import until
from tests.system import SECRET, System, running_system

PACE = 0.3


@contextmanager
def overheard(store_url: str) -> Iterator[list[bytes]]:
    """Every command that the store is given while the block lasts, those of its scripts among them."""
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(urlsplit(store_url).path)
        line.sendall(b"MONITOR\r\n")

        def listen() -> None:
            with line.makefile("rb") as lines:
                heard.extend(lines)

        listening = threading.Thread(target=listen)
        listening.start()
        try:
            yield heard
        finally:
            line.shutdown(socket.SHUT_RDWR)
            listening.join()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the records are that are copied, and where they go: that is nobody's secret."""
    return tmp_path_factory.mktemp("lake")


@pytest.fixture(scope="module")
def product(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """API, worker and store, with a key."""
    settings = {
        "DATA_ENCRYPTION_KEY": FIRST,
        "JOBSTREAM_CONNECTION_LAKE": lake.as_uri(),
        "JOBSTREAM_CONNECTION_WAREHOUSE": f"sqlite://{lake / 'warehouse.db'}",
    }
    with running_system(tmp_path_factory.mktemp("sealed"), pace=0, settings=settings) as system:
        yield system


@pytest.fixture
async def api(product: System) -> AsyncIterator[Api]:
    async with Api(product.url, SECRET) as api:
        yield api


def written(product: System) -> dict[str, bytes]:
    """All that the processes and the store have written anywhere, by file."""
    files = [path for path in product.folder.rglob("*") if path.is_file() and not path.name.startswith("sandbox")]
    return {str(path.relative_to(product.folder)): path.read_bytes() for path in files}


async def test_what_was_said_is_nowhere_to_be_found(product: System, api: Api, lake: Path) -> None:
    """Not in the files of the store, in the commands that it was given, or in the output of any process."""
    with overheard(product.store.url) as commands:
        told = await say_everything(api, lake)
        files = written(product)
        await _rewritten(product.store.url)
        files |= written(product)

    texts = [part["text"] for each in told for part in each.get("parts", {}).values()]
    assert [each for each in told if CANARY not in repr(each) and "elapsed" not in each] == []
    assert sum(CANARY in text for text in texts) >= 3
    job_id = told[0]["id"].encode()
    assert files.keys() >= {"api.log", "worker.log"}
    assert [name for name, content in files.items() if job_id in content and "appendonly" in name]
    assert sum(job_id in command for command in commands) > 10
    digests = [digest(text).encode() for text in texts if text]
    for trace in (CANARY.encode(), CANARY.encode().hex().encode(), *digests):
        assert [name for name, content in files.items() if trace in content] == []
        assert [command for command in commands if trace in command] == []


async def test_keys_are_changed_while_answers_are_written_and_read(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Every process is told of the new key before one seals with it; whoever follows misses and doubles nothing."""
    folder = tmp_path_factory.mktemp("rotated")
    with running_system(folder, pace=PACE, settings={"DATA_ENCRYPTION_KEY": FIRST}) as product:
        async with Api(product.url, SECRET) as api, asyncio.TaskGroup() as tasks:
            slow = {"models": {"openai": "gpt-sandbox-slow", "anthropic": "claude-sandbox-slow"}}
            old = await api.ended((await api.submit("Name three rivers."))["id"])
            before = await api.submit(f"Tell me about {CANARY}.", input=slow)
            followed = [tasks.create_task(follow_through(api, before["id"])) for _ in range(3)]
            for ring in (f"{FIRST},{SECOND}", f"{SECOND},{FIRST}"):
                await _has_grown(api, before["id"])
                await asyncio.to_thread(_give, product, ring)
                after = await api.submit(f"Tell me about {CANARY} again.", input=slow)
                followed.append(tasks.create_task(follow_through(api, after["id"])))
        async with Api(product.url, SECRET) as api:
            for each in followed:
                follower = each.result()
                ended = await api.poll(follower.snapshot["id"])
                assert comparable(follower.snapshot) == comparable(ended)
                assert follower.seqs == sorted(set(follower.seqs))
                assert {part["state"] for part in ended["parts"].values()} == {"completed"}
                assert follower.texts == {name: part["sha256"] for name, part in ended["parts"].items()}

            await asyncio.to_thread(_give, product, SECOND)
            lost = await api.http.get(f"/v1/jobs/{old['id']}")
            kept = await api.poll(after["id"])

    assert (lost.status_code, lost.json()["type"]) == (500, "/problems/integrity-error")
    assert kept["state"] == "completed"


async def follow_through(api: Api, job_id: str) -> Follower:
    """The job followed to its end, by whichever process is there."""
    follower = Follower()
    while not follower.ended:
        try:
            async for event in api.listen(job_id, after=follower.cursor):
                follower.take(event)
        except httpx2.HTTPError:
            await asyncio.sleep(0.05)
    return follower


def _give(product: System, ring: str) -> None:
    """Restart the API and the worker with these keys."""
    product._environment["DATA_ENCRYPTION_KEY"] = ring
    for process in (product.api, product.worker):
        process.end()
        process.start()
    product.wait_until_ready()


async def _has_grown(api: Api, job_id: str) -> None:
    seq = (await api.poll(job_id))["seq"]

    async def longer() -> bool:
        return bool((await api.poll(job_id))["seq"] > seq)

    await until(longer)


async def _rewritten(store_url: str) -> None:
    """The store's files hold what it holds, and not only how it came to that."""
    with redis.Redis.from_url(store_url) as client:
        client.bgrewriteaof()

        async def done() -> bool:
            return not client.info("persistence")["aof_rewrite_in_progress"]

        await until(done)
