"""A store that is full, that loses its last seconds, or holds what no worker wrote."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from jobs.errors import JobNotFound, StorageFull
from jobs.store import takes_writes
from tests.api import Api, comparable, follow
from tests.chaos.arena import LEASE_SECONDS, Arena, ended_by
from tests.chaos.invariants import broken_promises, entries_of, leftovers
from tests.service.serving import serving
from tests.system import SECRET


async def test_a_full_store_refuses_jobs_and_lets_those_that_run_wait(arena: Arena) -> None:
    """Reading and cancelling work; who runs waits for longer than a lease, and goes on once there is room."""
    arena.workers.start(slots=2)
    running, doomed = [await arena.submit("steps", n=10, pause=0.1) for _ in range(2)]
    queued = await arena.submit("noop")
    await arena.acted(running, times=2)
    await arena.acted(doomed, times=2)
    await arena.client.config_set("maxmemory", 1)

    with pytest.raises(StorageFull):
        await arena.submit("noop")
    assert not await takes_writes(arena.client)
    await arena.queue.cancel(queued)
    await arena.queue.cancel(doomed)

    assert (await arena.ended(queued))["state"] == "cancelled"
    assert (await arena.ended(doomed))["state"] == "cancelled"
    await arena.passed(2 * LEASE_SECONDS)
    assert (await arena.snapshot(running))["state"] == "running"
    await arena.client.config_set("maxmemory", 0)
    ended = await arena.ended(running)
    assert (ended["state"], ended["attempt"]) == ("completed", 1)
    assert not any(b"worker-lost" in entry.body for entry in await entries_of(arena, running))
    assert await broken_promises(arena, [running, doomed, queued]) == []
    assert await leftovers(arena) == []


async def test_a_worker_that_is_told_to_stop_hands_its_jobs_back_to_a_full_store(arena: Arena) -> None:
    """It does not wait for room, and the job has lost neither its place nor its attempt."""
    worker = arena.workers.start()
    job_id = await arena.submit("steps", n=10, pause=0.1)
    await arena.acted(job_id, times=2)
    await arena.client.config_set("maxmemory", 1)

    assert await ended_by(worker, signal.SIGTERM) == 0

    assert (await arena.snapshot(job_id))["state"] == "queued"
    await arena.client.config_set("maxmemory", 0)
    worker.start()
    ended = await arena.ended(job_id)
    assert (ended["state"], ended["attempt"]) == ("completed", 1)
    assert not any(b"worker-lost" in entry.body for entry in await entries_of(arena, job_id))
    assert await broken_promises(arena, [job_id]) == []
    assert await leftovers(arena) == []


async def test_a_power_cut_ends_every_job_once_and_tells_who_listened(arena: Arena) -> None:
    """The last second of the store is gone, an acknowledged job with it. Its workers begin again from what is left,
    and a stream that was further goes on with a snapshot that says so."""
    arena.workers.start()
    async with serving(arena.store.url, kinds=arena.kinds) as served, Api(served.url, SECRET) as api:
        jobs = [
            await arena.submit("steps", n=20, pause=0.1),
            *[await arena.submit("talk", n=n, pause=0.3) for n in range(4)],
        ]
        followers = [asyncio.create_task(follow(api, job_id)) for job_id in jobs]
        await arena.acted(jobs[0], times=3)
        journal = _journal(arena)
        on_disk = journal.stat().st_size
        gone = await arena.submit("noop", idempotency_key="gone")
        await arena.acted(jobs[0], times=8)

        arena.store.kill()
        os.truncate(journal, on_disk)
        arena.store.start()

        heard = await asyncio.gather(*followers)
        assert [follower.snapshot["state"] for follower in heard] == ["completed"] * len(jobs)
        for job_id, follower in zip(jobs, heard, strict=True):
            assert follower.reasons == ["initial", "gap"]
            assert comparable(follower.snapshot) == comparable(await api.poll(job_id))
        with pytest.raises(JobNotFound):
            await arena.snapshot(gone)
        assert await arena.submit("noop", idempotency_key="gone") != gone
    assert await broken_promises(arena, jobs, forgetful=True) == []


def _journal(arena: Arena) -> Path:
    """Where the store writes down what it does."""
    (journal,) = (arena.folder / "appendonlydir").glob("*.incr.aof")
    return journal
