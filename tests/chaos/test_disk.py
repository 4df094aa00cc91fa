"""A store whose disk is full: it takes nothing, still tells all it knows, and heals once there is room."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from jobs.errors import StorageFull, StoreUnavailable
from jobs.model import JobId
from tests.api import Api, comparable, follow
from tests.chaos.arena import LEASE_SECONDS, Arena, open_arena_on, patiently
from tests.chaos.invariants import broken_promises, lasting_leftovers
from tests.service.serving import serving
from tests.system import SECRET
from tests.valkey import running_valkey

LAST_BYTES = 100
"""What the disk takes yet when it is called full: the next write is cut off in its middle."""


async def test_a_full_disk_refuses_jobs_lets_all_be_read_and_heals_by_itself(arena: Arena) -> None:
    """For longer than a lease nothing can be written; then the jobs and streams that were there go on."""
    arena.workers.start()
    server = (await arena.client.info("server"))["process_id"]
    async with serving(arena.store.url, kinds=arena.kinds) as served, Api(served.url, SECRET) as api:
        jobs = [await arena.submit("steps", n=10, pause=0.1), await arena.submit("talk", n=3, pause=0.1)]
        followers = [asyncio.create_task(follow(api, job_id)) for job_id in jobs]
        await arena.acted(jobs[0], times=2)
        with full_disk(server, arena.folder):
            taken = [job_id async for job_id in _submitted_until_refused(arena)]
            await _expect_read_only(api, jobs[0])
            await arena.passed(2 * LEASE_SECONDS)
            assert (await api.poll(jobs[0]))["state"] == "running"

        taken.append(await patiently(partial(_submit_once_there_is_room, arena)))
        assert (await api.http.get("/readyz")).json()["store"] == "ok"
        for job_id, heard in zip(jobs, await asyncio.gather(*followers), strict=True):
            assert comparable(heard.snapshot) == comparable(await api.poll(job_id))
    await _expect_completed(arena, [*jobs, *taken])


async def test_a_store_that_ends_when_its_disk_is_full_has_lost_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    """One that syncs at every write cannot take a write back: it ends instead, and is started again."""
    with running_valkey(tmp_path, "--appendfsync", "always") as store:
        async with open_arena_on(store, tmp_path) as arena:
            arena.workers.start()
            jobs = [await arena.submit("steps", n=10, pause=0.1)]
            await arena.acted(jobs[0], times=2)
            with full_disk(store.pid, tmp_path):
                jobs += [job_id async for job_id in _submitted_until_refused(arena)]
                await asyncio.to_thread(os.waitid, os.P_PID, store.pid, os.WEXITED | os.WNOWAIT)

            store.start()

            await _expect_completed(arena, jobs)


@contextmanager
def full_disk(server: int, folder: Path) -> Iterator[None]:
    """The server's files cannot grow while the block runs: the same refusal as from a disk without room."""
    (journal,) = (folder / "appendonlydir").glob("*.incr.aof")
    _, most = resource.prlimit(server, resource.RLIMIT_FSIZE)
    resource.prlimit(server, resource.RLIMIT_FSIZE, (journal.stat().st_size + LAST_BYTES, most))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it may have ended of it
            resource.prlimit(server, resource.RLIMIT_FSIZE, (most, most))


async def _submitted_until_refused(arena: Arena) -> AsyncIterator[JobId]:
    """The jobs that are taken until the store takes none."""
    with suppress(StorageFull, StoreUnavailable):
        while True:
            yield await arena.submit("noop")


async def _submit_once_there_is_room(arena: Arena) -> JobId:
    try:
        return await arena.submit("noop")
    except StorageFull as error:
        raise StoreUnavailable(error.detail) from error


async def _expect_read_only(api: Api, job_id: JobId) -> None:
    """Jobs are refused with the reason, whatever is there can be read, and who asks for readiness is told."""
    refused = await api.http.post("/v1/jobs", json={"kind": "noop", "input": {}})
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/storage-full")
    assert int(refused.headers["Retry-After"]) > 0
    for path in (f"/v1/jobs/{job_id}", f"/v1/jobs/{job_id}/updates", "/v1/jobs", "/v1/dead-letters", "/v1/kinds"):
        assert (await api.http.get(path)).status_code == 200, path
    ready = await api.http.get("/readyz")
    assert (ready.status_code, ready.json()["store"]) == (200, "read-only")


async def _expect_completed(arena: Arena, jobs: list[JobId]) -> None:
    for job_id in jobs:
        ended = await arena.ended(job_id)
        assert (ended["state"], ended["attempt"]) == ("completed", 1)
    assert await broken_promises(arena, jobs) == []
    assert await lasting_leftovers(arena) == []
