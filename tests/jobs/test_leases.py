"""Who gets a job and for how long: one worker at a time, whatever becomes of it."""

import asyncio
from collections import Counter

import pytest

from jobs import keys
from jobs.connection import Client, Script, connect
from jobs.errors import JobEnded
from jobs.leases import Claim
from jobs.model import Failure, JobId, JsonObject
from tests.jobs import lines
from tests.jobs.doors import IDLE, Doors, idle_kind
from tests.valkey import ValkeyProcess

REASON = Failure(type="internal-error", title="The job failed", detail="Two\u2028lines.", retryable=True)


async def test_two_workers_who_claim_at_once_never_get_the_same_job(doors: Doors, store: ValkeyProcess) -> None:
    """Five hundred jobs, each given out once; every one is said to run once."""
    submitted = {await doors.submit() for _ in range(500)}
    async with connect(store.url) as another:
        ones, others = await asyncio.gather(_claim_all(doors, "first"), _claim_all(Doors(another), "second"))

    counts = Counter(claim.job_id for claim in ones + others)
    assert counts == dict.fromkeys(submitted, 1)
    for job_id in list(submitted)[:10]:
        assert [data["state"] for _, data in await doors.updates(job_id)] == ["queued", "running"]


async def test_a_renewal_gives_a_lease_its_whole_length_again(doors: Doors, redis: Client) -> None:
    """And moves the moment at which the job counts as lost; a lease that is another's is told as lost."""
    kept, lost = await doors.running(token="first"), await doors.running(token="second")
    await redis.pexpire(keys.lease(kept.job_id), 5_000)
    before = await redis.zscore(keys.LEASED, kept.job_id)

    answer = await Script(redis, "renew")(60_000, kept.job_id, kept.token, lost.job_id, "somebody-else's")

    assert answer == [[lost.job_id.encode()], []]
    assert await redis.pttl(keys.lease(kept.job_id)) > 50_000
    after = await redis.zscore(keys.LEASED, kept.job_id)
    assert before is not None
    assert after is not None
    assert after > before + 20_000


async def test_a_renewal_brings_the_wish_to_cancel(doors: Doors, redis: Client) -> None:
    """For a worker that missed the announcement."""
    claim = await doors.running()
    await doors.queue.cancel(claim.job_id)

    assert await Script(redis, "renew")(30_000, claim.job_id, claim.token) == [[], [claim.job_id.encode()]]


async def test_a_job_that_is_handed_back_is_claimed_at_once_with_the_same_attempt(doors: Doors) -> None:
    """In the place that it had, before jobs that were submitted later."""
    claim, _later = await doors.running(), await doors.submit()

    await doors.leases.release(claim)

    released = await _newest(doors, claim.job_id)
    assert (released["state"], released["reason"]) == ("queued", "handed-back")
    (again,) = await doors.claim("second")
    assert (again.job_id, again.attempt) == (claim.job_id, 1)
    assert (await _newest(doors, claim.job_id))["reason"] == "handed-back"


async def test_a_job_that_is_put_off_begins_its_next_attempt_when_it_is_due(doors: Doors) -> None:
    """Until then it is retrying, says why and until when, and nobody gets it."""
    claim = await doors.running()

    await doors.leases.postpone(claim, delay_seconds=60, error=REASON)

    waiting = await doors.snapshot(claim.job_id)
    assert (waiting["state"], waiting["attempt"], waiting["error"]) == ("retrying", 1, REASON.model_dump())
    assert waiting["next_attempt_at"] > waiting["started_at"]
    assert await doors.claim("second") == []
    await doors.fall_due(claim.job_id)
    (again,) = await doors.claim("second")
    running = await doors.snapshot(claim.job_id)
    assert (again.attempt, running["attempt"], running["error"], running["next_attempt_at"]) == (2, 2, None, None)
    assert "reason" not in await _newest(doors, claim.job_id)


async def test_no_update_has_a_line_break_that_some_client_would_see(doors: Doors) -> None:
    """Also not the reason for which a job is put off."""
    claim = await doors.running()

    await doors.leases.postpone(claim, delay_seconds=60, error=REASON)

    assert "\u2028".encode() not in (await doors.entries(claim.job_id))[-1].body


async def test_a_claim_brings_what_earlier_attempts_kept(doors: Doors) -> None:
    """Steps by name, parts as they were left, progress; and how long the attempt has run."""
    claim = await doors.running(subject="user-1", request_id="request-1", idempotency_key="key")
    for flush in lines.whole_story()[:-1]:
        await doors.append(claim, *flush)
    await doors.lose(claim)

    (again,) = await doors.claim("second")

    assert again.kept == {"read": b'{"words":2}', "answer": b'"two"'}
    assert {name: part["state"] for name, part in again.parts.items()} == {"openai": "completed", "google": "running"}
    assert again.progress == {"percent": 60}
    assert (again.subject, again.request_id, again.input) == ("user-1", "request-1", b"{}")
    assert again.attempt_seconds > 0


async def test_a_job_of_a_kind_that_the_worker_does_not_know_stays_in_the_queue(doors: Doors) -> None:
    """It steps aside for a moment, and a worker that knows it gets it."""
    stranger = await doors.submit(idle_kind("stranger"))
    known = await doors.submit()

    assert [claim.job_id for claim in await doors.claim("first", slots=2)] == [known]

    assert (await doors.snapshot(stranger))["state"] == "queued"
    await doors.fall_due(stranger)
    (claim,) = await doors.claim("second", kinds=[idle_kind("stranger")])
    assert claim.job_id == stranger


@pytest.mark.parametrize("why", ["held", "unknown"])
async def test_hundreds_of_jobs_that_cannot_be_claimed_do_not_hide_the_one_behind(why: str, doors: Doors) -> None:
    """A worker that is told to come back at once finds it; it never has to wait."""
    stranger = idle_kind("stranger")
    in_front = [await doors.submit(stranger if why == "unknown" else IDLE) for _ in range(300)]
    if why == "held":
        await doors.claim("first", slots=300)
        await doors.client.zadd(keys.QUEUE, dict.fromkeys(in_front, 0))
    behind = await doors.submit()

    claims = await doors.leases.claim(slots=1, token="second", kinds=[IDLE])
    while not claims.jobs and claims.wait_seconds == 0:
        claims = await doors.leases.claim(slots=1, token="second", kinds=[IDLE])

    assert [claim.job_id for claim in claims.jobs] == [behind]
    assert sum([await doors.client.zcard(name) for name in (keys.QUEUE, keys.LEASED)]) == len(in_front) + 1


async def test_an_entry_without_a_job_leaves_the_queue(doors: Doors, redis: Client) -> None:
    """One that expired, or that ended while it still stood there."""
    ended = await doors.running()
    await doors.append(ended, lines.end())
    await redis.zadd(keys.QUEUE, {ended.job_id: 0, "a-job-that-expired": 0})

    assert await doors.claim("second", slots=10) == []

    assert await redis.zcard(keys.QUEUE) == 0


async def _claim_all(doors: Doors, token: str) -> list[Claim]:
    claims: list[Claim] = []
    while jobs := await doors.claim(token, slots=7):
        claims += jobs
    return claims


async def _newest(doors: Doors, job_id: JobId) -> JsonObject:
    return (await doors.updates(job_id))[-1][1]


async def test_a_place_that_a_woken_job_does_not_take_goes_to_the_next(doors: Doors) -> None:
    """It was cancelled before it could; two places are used all the same."""
    narrow = idle_kind("narrow", concurrency=2)
    waiting = [await doors.submit(narrow) for _ in range(4)]
    running = await doors.claim("first", slots=4, kinds=[narrow])
    await doors.append(running[0], lines.end())
    (woken,) = [each for each in waiting if await doors.client.zscore(keys.QUEUE, each) is not None]

    await doors.queue.cancel(woken)

    assert len(await doors.claim("second", slots=4, kinds=[narrow])) == 1


async def test_a_place_for_which_a_woken_job_lacks_another_goes_to_the_next(doors: Doors) -> None:
    """Its kind has a place, its subject has none; somebody else's job takes it."""
    narrow = idle_kind("narrow", concurrency=2, concurrency_per_subject=1)
    first, second = [await doors.submit(narrow, subject=subject) for subject in ("x", "y")]
    running = {claim.job_id: claim for claim in await doors.claim("first", slots=2, kinds=[narrow])}
    assert running.keys() == {first, second}
    await doors.submit(narrow, subject="x", priority=9)
    other = await doors.submit(narrow, subject="z")
    assert await doors.claim("second", slots=2, kinds=[narrow]) == []

    await doors.append(running[second], lines.end())

    got = [claim.job_id for number in range(3) for claim in await doors.claim(f"later {number}", kinds=[narrow])]
    assert got == [other]


async def test_a_job_that_is_about_to_end_gets_no_more_children(doors: Doors) -> None:
    """Who cancels it cancels the children that it has; another would be nobody's."""
    parent = await doors.running()
    await doors.queue.cancel(parent.job_id)

    with pytest.raises(JobEnded):
        await doors.submit(parent=parent.job_id)

    assert await doors.client.zcard(keys.QUEUE) == 0
