"""Many jobs at once: whoever comes to a crowded queue is served all the same."""

import asyncio

from jobs import keys
from jobs.clock import to_microseconds
from jobs.queue import HEAD_START_MS
from tests.chaos.arena import Arena, says
from tests.chaos.invariants import broken_promises, leftovers
from tests.figures import Say

CROWD = 300
FLOOD = 60
URGENT = 10
FAIRNESS_MS = 60_000
"""How far the jobs of a busy subject fall behind those of an idle one."""


async def test_three_hundred_running_jobs_do_not_hide_a_new_one_from_a_free_slot(arena: Arena, say: Say) -> None:
    """It begins and ends while all of them run, whichever worker has the slot."""
    arena.workers.start(slots=CROWD, lease_seconds=6)
    crowd = [await arena.submit("steps", n=1, pause=1000) for _ in range(CROWD)]
    for job_id in crowd:
        await arena.reached(job_id, "running")
    await says(arena.workers.start(slots=1, lease_seconds=6), "worker ready")

    ended = await arena.ended(await arena.submit("noop"))

    assert [await arena.is_in(job_id, "running") for job_id in crowd] == [True] * CROWD
    waited_us = to_microseconds(ended["started_at"]) - to_microseconds(ended["created_at"])
    say(f"{CROWD} jobs running and one new: it began after {waited_us / 1000:.0f} ms")
    for job_id in crowd:
        await arena.queue.cancel(job_id)
    for job_id in crowd:
        assert (await arena.ended(job_id))["state"] == "cancelled"
    assert await broken_promises(arena, crowd) == []
    assert await leftovers(arena) == []


async def test_the_least_urgent_job_starts_within_its_bound_under_a_flood_of_the_most_urgent(
    arena: Arena, say: Say
) -> None:
    """Each step of priority is a head start of a minute: a job of priority 0 is overtaken only by what is submitted
    in the ten minutes after it, and in one more where its subject has many jobs. Then it is first."""
    bound_ms = URGENT * HEAD_START_MS + FAIRNESS_MS
    patient, late = [await arena.submit("noop", priority=0) for _ in range(2)]
    flood = [await arena.submit("noop", priority=URGENT, subject=str(n)) for n in range(FLOOD)]
    await arena.client.zincrby(keys.QUEUE, -bound_ms, patient)  # as if it had waited so long before the flood came
    arena.workers.start(slots=1)

    ended = await asyncio.gather(*(arena.ended(job_id) for job_id in (patient, *flood, late)))

    began = [to_microseconds(snapshot["started_at"]) for snapshot in ended]
    assert began[0] == min(began)
    assert began[-1] == max(began)
    say(f"priority 0 under a flood of priority {URGENT}: overtaken for at most {bound_ms / 60_000:.0f} minutes")
