"""What a stranger wrote into the store, or asks of it: nothing of that is run."""

import os
import pickle
import signal
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest

from jobs import keys
from jobs.model import JobId
from tests.api import Api
from tests.chaos.arena import Arena, ended_by
from tests.chaos.invariants import broken_promises, entries_of, leftovers
from tests.service.serving import serving
from tests.system import SECRET

STRANGE_IDS = [
    "****************",
    "js:queue*********",
    "????????????????",
    "[A-Za-z0-9_-]*----",
    "{hash-tag}-------",
    "sixteen-or-more\r\nFLUSHALL\r\n",
    "'..redis.call('FLUSHALL')..'",
    "sixteen-or-more-and-a-\0",
    "x" * 65,
]


class Bomb:
    """Whoever unpickles it makes a folder."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self._target),)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The folder that is there once a bomb has gone off."""
    return tmp_path / "gone-off"


@pytest.fixture
def bomb(target: Path) -> bytes:
    """A pickle that runs what a stranger chose."""
    return pickle.dumps(Bomb(target))


def test_the_bombs_of_these_tests_go_off(target: Path, bomb: bytes) -> None:
    """Or the other tests would show nothing."""
    pickle.loads(bomb)  # noqa: S301  # that is the point

    assert target.exists()


async def test_a_bomb_in_arqs_own_entry_is_not_even_read(arena: Arena, target: Path, bomb: bytes) -> None:
    """The job is run by its record, and completes."""
    job_id = await arena.submit("noop", n=7)
    await arena.client.set(keys.ARQ_JOB + job_id, bomb)
    arena.workers.start()

    assert (await arena.ended(job_id))["result"] == 7
    _expect_no_bang(target)
    assert await leftovers(arena) == []


@pytest.mark.parametrize("place", ["input", "kept", "parts", "progress"])
async def test_a_bomb_in_what_a_job_left_behind_fails_that_job_alone(
    place: str, arena: Arena, target: Path, bomb: bytes
) -> None:
    """It cannot be read, and never could be any better; the worker goes on with others."""
    worker = arena.workers.start()
    job_id = await arena.submit("talk" if place == "parts" else "steps", n=3, pause=0.5)
    await arena.logged(job_id, "delta" if place == "parts" else "step", times=3)
    await ended_by(worker, signal.SIGTERM)
    await _plant(bomb, arena, job_id, place)
    worker.start()

    next_one = await arena.submit("noop")
    await arena.logged(job_id, "end")
    end = orjson.loads((await entries_of(arena, job_id))[-1].body)

    assert (end["state"], end["error"]["type"]) == ("failed", "corrupt")
    assert (await arena.ended(next_one))["state"] == "completed"
    _expect_no_bang(target)
    assert await leftovers(arena) == []


async def test_a_bomb_in_the_outbox_holds_up_no_event(arena: Arena, target: Path, bomb: bytes) -> None:
    """What is no event leaves the outbox, and the events behind it are delivered."""
    await arena.client.rpush(keys.OUTBOX, bomb)  # type: ignore[misc]
    await arena.client.expire(keys.OUTBOX, 60)
    arena.workers.start()
    herald = await arena.submit("herald", n=3)

    heard = await arena.heard((await arena.ended(herald))["result"])

    assert (await arena.ended(heard))["result"] == 3
    _expect_no_bang(target)
    assert await broken_promises(arena, [herald, heard]) == []
    assert await leftovers(arena) == []


@pytest.mark.parametrize("strange", STRANGE_IDS)
async def test_an_id_that_means_something_to_the_store_is_no_job(strange: str, arena: Arena) -> None:
    """Whatever is asked of it is answered like a job that never was, and no key is touched."""
    await arena.submit("noop", subject="somebody")
    async with serving(arena.store.url, kinds=arena.kinds) as served, Api(served.url, SECRET) as api:
        before = await _everything(arena)
        path = f"/v1/jobs/{quote(strange, safe='')}"
        answers = [
            await api.http.get(path),
            await api.http.get(f"{path}/stream"),
            await api.http.get(f"{path}/updates"),
            await api.http.post(f"{path}/cancel"),
            await api.http.post(f"{path}/retry"),
            await api.http.delete(path),
        ]

    assert {answer.status_code for answer in answers} == {404}
    assert await _everything(arena) == before


async def test_a_subject_that_means_something_to_the_store_forgets_only_its_own_jobs(arena: Arena) -> None:
    """The jobs of all others are there afterwards."""
    others = [await arena.submit("noop", subject=subject) for subject in ("a", "ab", "*a", "a:b", "[a]", "")]
    own = await arena.submit("noop", subject="*")

    await arena.queue.forget_subject("*")

    assert await arena.is_in(own, "cancelled")
    assert [await arena.is_in(job_id, "queued") for job_id in others] == [True] * len(others)


async def _plant(bomb: bytes, arena: Arena, job_id: JobId, place: str) -> None:
    match place:
        case "input":
            await arena.client.set(keys.payload(job_id), bomb, keepttl=True)
        case "kept":
            await arena.client.hset(f"{keys.PREFIX}{job_id}:kept", "step-0", bomb)  # type: ignore[misc,arg-type]
        case "parts":
            await arena.client.hset(f"{keys.PREFIX}{job_id}:parts", "voice", bomb)  # type: ignore[misc,arg-type]
        case "progress":
            await arena.client.hset(keys.job(job_id), "progress", bomb)  # type: ignore[misc,arg-type]


def _expect_no_bang(target: Path) -> None:
    assert not target.exists()


async def _everything(arena: Arena) -> dict[bytes, bytes | None]:
    """Every key of jobs, and what it holds."""
    names = [name async for name in arena.client.scan_iter(f"{keys.PREFIX}*")]
    return {name: await arena.client.dump(name) for name in names}
