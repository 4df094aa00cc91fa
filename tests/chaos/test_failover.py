"""The server that takes the writes dies, and Sentinels have another one take its place."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from traceback import format_exception

import pytest

from jobs.connection import connect
from jobs.errors import StoreUnavailable, StoreUnsuitable
from jobs.sentinels import Sentinels
from jobs.store import check
from tests.api import Api, comparable, follow
from tests.chaos.arena import Arena, open_arena_on, patiently
from tests.chaos.failover import Group, follows, running_group
from tests.chaos.invariants import broken_promises, leftovers
from tests.figures import Say
from tests.service.serving import serving
from tests.system import SECRET, free_port, wait_until

READY_SECONDS = 30.0


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Two servers and three Sentinels."""
    with running_group(tmp_path) as group:
        yield group


@pytest.fixture
async def arena(group: Group, tmp_path: Path) -> AsyncIterator[Arena]:
    """An arena on the group."""
    async with open_arena_on(group, tmp_path) as arena:
        yield arena


async def test_jobs_and_streams_go_on_when_another_server_takes_over(group: Group, arena: Arena, say: Say) -> None:
    """Clients and workers find it by themselves; the jobs that it knew of end once, and new ones are taken."""
    arena.workers.start(), arena.workers.start()
    async with serving(arena.store.url, kinds=arena.kinds) as served, Api(served.url, SECRET) as api:
        jobs = [await arena.submit(kind, n=20, pause=0.1) for kind in ("steps", "talk", "family", "nap")]
        followers = [asyncio.create_task(follow(api, job_id)) for job_id in jobs]
        await arena.acted(jobs[0], times=3)
        wait_until(lambda: follows(group.second, group.first), READY_SECONDS)

        group.kill()
        killed = asyncio.get_running_loop().time()
        jobs.append(await patiently(partial(arena.submit, "noop", idempotency_key="new")))
        say(f"failover: a new job was taken {asyncio.get_running_loop().time() - killed:.1f} s after the kill")

        for job_id, follower in zip(jobs, await asyncio.gather(*followers), strict=False):
            assert comparable(follower.snapshot) == comparable(await api.poll(job_id))
    for job_id in jobs:
        assert (await arena.ended(job_id))["state"] == "completed"
    assert await broken_promises(arena, jobs, forgetful=True) == []
    assert await leftovers(arena) == []


async def test_a_master_that_has_lost_touch_takes_nothing_more(group: Group, arena: Arena) -> None:
    """One that must have a follower refuses jobs without it, and takes them again with it."""
    await arena.client.config_set("min-replicas-to-write", 1)
    before = await arena.submit("noop")
    group.second.process.kill()

    with pytest.raises(StoreUnavailable):
        await _submit_for_ever(arena)

    assert await arena.is_in(before, "queued")
    group.second.process.start()
    await patiently(partial(arena.submit, "noop"))


async def test_a_store_with_sentinels_is_not_taken_for_one_on_this_machine() -> None:
    """Where the master will be nobody can tell: without encryption it is refused before a password leaves."""
    async with connect(f"redis+sentinel://127.0.0.1:{free_port()}/jobs") as client:
        with pytest.raises(StoreUnsuitable, match="rediss://"):
            await check(client, allow_volatile=False, allow_plain=False)


async def _submit_for_ever(arena: Arena) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while True:
            await arena.submit("noop")


def test_a_url_names_sentinels_master_and_both_passwords() -> None:
    """Ports, user, database and the Sentinels' own password may be left out; what is odd in a password is quoted."""
    url = "rediss+sentinel://me:p%40ss@one,[::1]:5000/the-jobs/3?sentinel_password=other"
    named = Sentinels.named_in(url)

    assert named is not None
    assert named.places == [("one", 26379), ("::1", 5000)]
    assert named.master == "the-jobs"
    checks = {"ssl": True, "ssl_check_hostname": True}
    assert named.to_server == {**checks, "username": "me", "password": "p@ss", "db": 3}
    assert named.to_sentinel.items() >= {**checks, "password": "other"}.items()
    assert Sentinels.named_in("rediss://one:6379/0") is None


@pytest.mark.parametrize("rest", ["", "one:26379", "/jobs", "one:port/jobs", "me:secret@one/jobs/secret"])
def test_a_url_without_sentinel_or_master_is_told_the_form_and_nothing_that_it_holds(rest: str) -> None:
    """A port and a database that are no numbers are as good as none."""
    with pytest.raises(StoreUnsuitable, match=r"redis\+sentinel://user") as refused:
        Sentinels.named_in(f"redis+sentinel://{rest}")

    assert "secret" not in "".join(format_exception(refused.value))
