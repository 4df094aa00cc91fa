"""Two versions of the code at once: each leaves to the other what it does not know, and reads what it can."""

import orjson

from jobs import keys
from jobs.encryption import UNSEALED
from jobs.events import Event, EventId, outgoing
from jobs.model import JobId
from tests.chaos.arena import Arena
from tests.chaos.invariants import broken_promises, leftovers

YOUNGER_FIELDS = ["depth", "only", "came_back", "spent_us", "request_id", "slotted", "failed_retention"]
"""Fields of a job's record that an older version may not have written."""


async def test_a_worker_leaves_the_kinds_that_it_does_not_know_to_those_who_do(arena: Arena) -> None:
    """Jobs of a new kind wait for the new version; they keep their place, and are in nobody's way."""
    new = [await arena.submit(kind, n=2) for kind in ("steps", "talk") for _ in range(20)]
    places = await arena.client.zrange(keys.QUEUE, 0, -1, withscores=True)
    arena.workers.start(unknown=["steps", "talk"])
    old = [await arena.submit("noop") for _ in range(20)]
    for job_id in old:
        assert (await arena.ended(job_id))["state"] == "completed"
    assert [await arena.is_in(job_id, "queued") for job_id in new] == [True] * len(new)
    assert await arena.client.zrange(keys.QUEUE, 0, -1, withscores=True) == places

    arena.workers.start()

    for job_id in new:
        assert (await arena.ended(job_id))["state"] == "completed"
    assert await broken_promises(arena, [*new, *old]) == []
    assert await leftovers(arena) == []


async def test_what_a_newer_version_wrote_beside_what_we_know_is_left_alone(arena: Arena) -> None:
    """In the record, in the input, and in an event on its way."""
    job_id = await arena.submit("steps", n=2)
    given = {"n": 2, "pause": 0.0, "since_tomorrow": [1]}
    await arena.client.set(keys.payload(job_id), orjson.dumps(given), keepttl=True)
    await arena.client.hset(keys.job(job_id), mapping={"since_tomorrow": "?", "state_of_tomorrow": "?"})  # type: ignore[misc]
    message = orjson.loads(outgoing(EventId("event-of-tomorrow"), Event("heard", {"n": 3}), UNSEALED))
    await arena.client.rpush(keys.OUTBOX, orjson.dumps({**message, "since_tomorrow": 1}))  # type: ignore[misc]
    await arena.client.expire(keys.OUTBOX, 60)

    arena.workers.start()

    heard = await arena.heard("event-of-tomorrow")
    assert (await arena.ended(heard))["result"] == 3
    assert (await arena.ended(job_id))["result"] == ["step-0", "step-1"]
    assert await broken_promises(arena, [job_id, heard]) == []
    assert await leftovers(arena) == []


async def test_a_job_of_an_older_version_that_knew_less_is_run(arena: Arena) -> None:
    """Fields that its record lacks have a meaning all the same."""
    job_ids: list[JobId] = [await arena.submit(kind, n=2) for kind in ("noop", "steps", "nap", "family", "talk")]
    for job_id in job_ids:
        await arena.client.hdel(keys.job(job_id), *YOUNGER_FIELDS)  # type: ignore[misc]

    arena.workers.start()

    for job_id in job_ids:
        assert (await arena.ended(job_id))["state"] == "completed"
    assert await broken_promises(arena, job_ids) == []
    assert await leftovers(arena) == []
