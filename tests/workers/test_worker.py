"""A worker with its loop, in the test's own process: what it holds it holds alone, and what it lost it lets go."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import redis as blocking_redis
from pydantic import JsonValue

from jobs import keys
from jobs.connection import script_text
from jobs.kind import AnyKind, Kind, Run
from jobs.model import JobId, JsonObject
from tests.engine.conftest import Engine
from tests.jobs.doors import Doors, Nothing
from tests.valkey import ValkeyProcess
from tests.workers.workshop import Perform

LEASE_SECONDS = 1.0
BLOCKED_SECONDS = 1.6
"""Less than a call of the store may take, since the test's own calls are blocked too."""
PATIENCE_SECONDS = 20.0
TURNS = 100
"""Of the event loop, in which whatever waits for nothing else comes to its next wait."""


def kind(perform: Perform, name: str = "kind") -> AnyKind:
    """A kind of the test's own."""
    return Kind(name=name, input=Nothing, perform=perform, summary="A test's.")


async def test_a_job_whose_event_loop_is_blocked_past_its_lease_stays_with_its_worker(engine: Engine) -> None:
    """A rival asks for it all the while; it starts once and ends once."""
    starts: list[int] = []

    async def block(run: Run, _input: Nothing) -> JsonValue:
        starts.append(run.attempt)
        time.sleep(BLOCKED_SECONDS)  # noqa: ASYNC251  # a kind that computes, and should not
        return "done"

    engine.know(kind(block))
    with _rival(engine.url) as won:
        async with engine.worker(lease_seconds=BLOCKED_SECONDS / 2.5):
            job_id = await engine.submit(engine.kinds["kind"])
            ended = await engine.ended(job_id)

    assert (ended["result"], ended["attempt"], starts, won) == ("done", 1, [1], [])
    assert await _states(engine, job_id) == ["queued", "running"]


async def test_a_worker_that_claims_a_job_which_it_had_lost_runs_it_once_to_its_end(engine: Engine) -> None:
    """The earlier run is told to stop and writes nothing more; the worker goes on, and renews what it has now."""
    stopped = asyncio.Event()
    runs: list[Run] = []
    lease_seconds = 3 * LEASE_SECONDS  # none but the one that the test takes is to be lost

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        runs.append(run)
        if len(runs) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                stopped.set()
        if len(runs) == 2:
            await stopped.wait()
            await asyncio.sleep(2 * lease_seconds)  # it must be renewed to get through
        return len(runs)

    engine.know(kind(perform))
    job_id = await engine.submit(engine.kinds["kind"])
    async with engine.worker(lease_seconds=lease_seconds):
        await engine.until(job_id, "running")
        await _lose(engine, job_id)
        ended = await engine.ended(job_id)
        another = await engine.submit(engine.kinds["kind"])
        assert (await engine.ended(another))["result"] == 3

    assert (ended["result"], ended["attempt"]) == (2, 1)
    assert await _states(engine, job_id) == ["queued", "running", "running"]


async def test_a_job_that_fails_in_its_own_way_takes_no_other_with_it(engine: Engine) -> None:
    """Whatever a kind raises or returns, the worker goes on with its other jobs."""

    async def bad(_run: Run, given: Nothing) -> JsonValue:
        return {"not": {"json"}}  # type: ignore[dict-item]

    async def worse(_run: Run, given: Nothing) -> JsonValue:
        raise asyncio.CancelledError

    release = asyncio.Event()

    async def good(_run: Run, given: Nothing) -> JsonValue:
        await release.wait()
        return "good"

    engine.know(kind(bad, "bad"), kind(worse, "worse"), kind(good, "good"))
    async with engine.worker():
        waiting = await engine.submit(engine.kinds["good"])
        for name in ("bad", "worse"):
            failing = await engine.submit(engine.kinds[name])
            assert (await engine.until(failing, "retrying"))["error"]["type"] == "internal-error"
        release.set()
        ended = await engine.ended(waiting)

    assert (ended["result"], ended["attempt"]) == ("good", 1)


async def test_a_worker_that_leaves_hands_everything_back(engine: Engine) -> None:
    """Each of its jobs is there for the next worker, with the attempt that it had."""

    async def perform(_run: Run, _input: Nothing) -> JsonValue:
        await asyncio.Event().wait()
        return None

    engine.know(kind(perform))
    job_ids = [await engine.submit(engine.kinds["kind"]) for _ in range(5)]
    async with engine.worker():
        for job_id in job_ids:
            await engine.until(job_id, "running")

    doors = Doors(engine.client)
    claims = await doors.claim("next", slots=9, kinds=[engine.kinds["kind"]])
    assert {claim.job_id for claim in claims} == set(job_ids)
    assert {claim.attempt for claim in claims} == {1}
    assert await engine.client.zcard(keys.WORKERS) == 0


async def test_a_worker_leaves_in_time_although_the_store_takes_no_result(
    engine: Engine, store: ValkeyProcess
) -> None:
    """The store is frozen when the job has its result; the lease keeps the job for the next worker."""
    finish = asyncio.Event()

    async def perform(_run: Run, _input: Nothing) -> JsonValue:
        await finish.wait()
        return "done"

    engine.know(kind(perform))
    job_id = await engine.submit(engine.kinds["kind"])
    async with AsyncExitStack() as stack:
        stack.callback(os.kill, store.pid, signal.SIGCONT)
        await stack.enter_async_context(engine.worker(lease_seconds=LEASE_SECONDS))  # it has 20 s to leave
        await engine.until(job_id, "running")
        os.kill(store.pid, signal.SIGSTOP)
        finish.set()
        for _ in range(TURNS):
            await asyncio.sleep(0)  # it settles the job by now, or tries to

    async with engine.worker(lease_seconds=LEASE_SECONDS):
        ended = await engine.ended(job_id)
    assert (ended["result"], ended["attempt"]) == ("done", 1)


async def test_nothing_is_left_in_the_store_but_the_jobs(engine: Engine) -> None:
    """A hundred jobs later, no lease, no queue entry and no key without an end of its own."""

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        return await run.step("only", _nothing)

    engine.know(kind(perform))
    async with engine.worker(slots=50):
        job_ids = [await engine.submit(engine.kinds["kind"]) for _ in range(100)]
        for job_id in job_ids:
            await engine.ended(job_id)

    names = {name.decode() async for name in engine.client.scan_iter()}
    assert {name for name in names if name.startswith("arq:")} == set()
    assert keys.QUEUE not in names
    immortal = {name for name, left in (await Doors(engine.client).lifetimes()).items() if left < 0}
    assert immortal == set()


async def _nothing() -> JsonValue:
    return None


async def _lose(engine: Engine, job_id: JobId) -> None:
    """The lease runs out behind the worker's back, and the worker looks into the queue."""
    async with engine.client.pipeline(transaction=True) as pipe:
        pipe.delete(keys.lease(job_id))
        pipe.zadd(keys.LEASED, {job_id: 0}, xx=True)
        pipe.lpush(keys.BELL, 1)
        await pipe.execute()


async def _states(engine: Engine, job_id: JobId) -> list[str]:
    updates: list[tuple[str, JsonObject]] = await Doors(engine.client).updates(job_id)
    assert [event for event, _ in updates].count("end") == 1
    return [data["state"] for event, data in updates if event == "state"]


@contextmanager
def _rival(url: str) -> Iterator[list[bytes]]:
    """Another worker, on a thread that no event loop can block; what it was given."""
    won: list[bytes] = []
    ends = threading.Event()

    def claim_all() -> None:
        with blocking_redis.Redis.from_url(url) as client:
            claim = client.register_script(script_text("claim"))
            while not ends.wait(0.05):
                _, claimed = claim(args=[1, 1000, "rival", "kind", 0, 0])
                won.extend(claimed)

    thread = threading.Thread(target=claim_all)
    thread.start()
    try:
        yield won
    finally:
        ends.set()
        thread.join(PATIENCE_SECONDS)
