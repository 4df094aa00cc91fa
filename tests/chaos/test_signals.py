"""Workers that are killed, told to stop, frozen, or too busy to notice anything."""

import asyncio
import os
import signal
from collections import Counter

from jobs.dead_letters import DeadLetters
from jobs.model import JobId
from tests.chaos.arena import LEASE_SECONDS, Arena, ended_by, frozen, restarted, says
from tests.chaos.invariants import broken_promises, entries_of, leftovers
from tests.figures import Say
from tests.jobs.patience import PATIENCE_SECONDS
from tests.system import Process

LONG_STEPS = int(os.environ.get("JOBSTREAM_CHAOS_STEPS", "15"))
LONG_PAUSE = float(os.environ.get("JOBSTREAM_CHAOS_PAUSE", "0.1"))
STOPS = int(os.environ.get("JOBSTREAM_CHAOS_STOPS", "6"))


async def test_a_job_that_is_handed_on_again_and_again_completes_in_its_first_attempt(arena: Arena, say: Say) -> None:
    """Each worker is told to stop in the middle of the job; the step that was cut off is all that runs again."""
    job_id = await arena.submit("steps", n=LONG_STEPS, pause=LONG_PAUSE)
    workers = [arena.workers.start(slots=1) for _ in range(2)]
    for stop in range(STOPS):
        holder = await _holder(arena, job_id, workers)
        await arena.acted(job_id, times=stop + 1)
        assert await ended_by(holder, signal.SIGTERM) == 0
        holder.start()

    ended = await arena.ended(job_id)

    assert (ended["state"], ended["attempt"]) == ("completed", 1)
    assert await broken_promises(arena, [job_id]) == []
    assert await leftovers(arena) == []
    said = [entry.body for entry in await entries_of(arena, job_id) if b"handed-back" in entry.body]
    again = len(arena.witness.acts(job_id)) - LONG_STEPS
    say(f"{STOPS} SIGTERMs in one job of {LONG_STEPS} steps: attempt 1, {again} steps cut off and run again")
    assert len(said) == 2 * STOPS
    assert again <= STOPS


async def test_a_worker_that_was_frozen_past_its_lease_writes_nothing_more(arena: Arena) -> None:
    """Another one finishes its job meanwhile; the one that comes back is refused, gives up, and takes other jobs."""
    zombie = arena.workers.start()
    job_id = await arena.submit("steps", n=20, pause=0.1)
    await arena.acted(job_id, times=3)
    with frozen(zombie):
        other = arena.workers.start()
        ended = await arena.ended(job_id)
        await ended_by(other, signal.SIGTERM)
        told, done = await entries_of(arena, job_id), arena.witness.acts(job_id)

    await says(zombie, '"outcome": "Lost"')
    next_one = await arena.submit("steps", n=1)

    assert ended["state"] == "completed"
    assert (await arena.ended(next_one))["state"] == "completed"
    assert (await entries_of(arena, job_id), arena.witness.acts(job_id)) == (told, done)
    assert await broken_promises(arena, [job_id, next_one]) == []
    assert await leftovers(arena) == []


async def test_a_worker_too_busy_to_notice_anything_keeps_its_job(arena: Arena) -> None:
    """Its event loop stands still for several leases, and nobody else begins the job."""
    arena.workers.start(), arena.workers.start()
    job_id = await arena.submit("block", pause=3 * LEASE_SECONDS)

    ended = await arena.ended(job_id)

    assert (ended["state"], ended["result"]) == ("completed", 1)
    assert arena.witness.acts(job_id) == ["blocked"]
    assert await broken_promises(arena, [job_id]) == []


async def test_a_job_that_kills_its_workers_takes_no_other_job_with_it(arena: Arena) -> None:
    """It ends as poison after three workers; the hundred around it, the ones beside it included, complete."""
    good = [await arena.submit("steps", n=1, pause=0.1) for _ in range(50)]
    poison = await arena.submit("poison")
    good += [await arena.submit("steps", n=1, pause=0.1) for _ in range(50)]
    async with restarted(arena.workers.start(lease_seconds=1)):
        ended = await arena.ended(poison)
        states = Counter([(await arena.ended(job_id))["state"] for job_id in good])

    assert (ended["state"], ended["error"]["type"]) == ("failed", "poison")
    assert len(arena.witness.acts(poison)) == 3
    assert states == {"completed": 100}
    assert [letter.job_id for letter in await DeadLetters(arena.client).page(limit=10)] == [poison]
    assert await broken_promises(arena, [poison, *good]) == []
    assert await leftovers(arena) == []


async def _holder(arena: Arena, job_id: JobId, workers: list[Process]) -> Process:
    """The worker that has the job, once one has."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            for worker in workers:
                if job_id in await arena.held_by(worker.pid):
                    return worker
            await asyncio.sleep(0.01)
