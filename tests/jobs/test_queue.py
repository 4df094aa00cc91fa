"""Submitting: whole or not at all, once for one key, in the order of priority and time."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from jobs import keys
from jobs.clock import MICROSECONDS, from_microseconds
from jobs.connection import Client, connect
from jobs.errors import IdempotencyKeyReused, StoreUnavailable
from jobs.model import Failure, JobId
from jobs.queue import HEAD_START_MS, Queue, Submission
from tests.jobs import lines
from tests.jobs.doors import IDLE, Doors, idle_kind
from tests.jobs.patience import until
from tests.jobs.proxy import Fault, faulty_store
from tests.valkey import ValkeyProcess, running_valkey

FAILURE = Failure(type="internal-error", title="The job failed", detail="Once more.", retryable=True)


def submission(*, key: str | None = "a-key", about: str = "") -> Submission:
    """What a client sends."""
    return Submission(kind=IDLE, input={"about": about} if about else {}, idempotency_key=key)


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.SILENCE])
@pytest.mark.parametrize("key", ["a-key", None])
async def test_a_job_is_there_whole_or_not_at_all(
    fault: Fault, key: str | None, doors: Doors, store: ValkeyProcess
) -> None:
    """Whichever command of a submission is hit; and who is told of a job can read it."""
    async with faulty_store(store.url, call_seconds=0.25) as (proxy, client):
        command = 0
        while command == 0 or proxy.was_hit:
            command += 1
            await doors.client.flushall()
            await doors.client.script_flush()
            proxy.hit(command, fault)

            told = await _submit(Queue(client), submission(key=key))

            in_queue = [JobId(name.decode()) for name in await doors.client.zrange(keys.QUEUE, 0, -1)]
            assert len(in_queue) <= 1
            assert told is None or in_queue == [told]
            for job_id in in_queue:
                await _expect_whole(doors, job_id, key=key)
            if not in_queue:
                await _expect_no_trace(doors)
            if key:
                again = await doors.queue.submit(submission(key=key))
                assert again.new == (not in_queue)
                assert await doors.client.zcard(keys.QUEUE) == 1
    assert command > 4


async def test_a_hundred_repeats_at_once_make_one_job(doors: Doors) -> None:
    """All of them are told the same job, one of them that it is new."""
    answers = await asyncio.gather(*(doors.queue.submit(submission()) for _ in range(100)))

    assert len({answer.job_id for answer in answers}) == 1
    assert Counter(answer.new for answer in answers) == {True: 1, False: 99}
    assert await doors.client.zcard(keys.QUEUE) == 1


async def test_a_hundred_submissions_at_once_make_a_hundred_jobs(doors: Doors) -> None:
    """More than the connections that a client has: those that find none free wait for one."""
    answers = await asyncio.gather(*(doors.queue.submit(submission(key=None)) for _ in range(100)))

    assert len({answer.job_id for answer in answers}) == 100
    assert len(await doors.claim("first", slots=200)) == 100


async def test_a_key_belongs_to_subject_and_kind_and_to_one_input(doors: Doors) -> None:
    """A repeat finds the job, also after its end; another input is refused; others have keys of their own."""
    first = await doors.queue.submit(submission())
    await doors.queue.cancel(first.job_id)

    assert await doors.queue.submit(submission()) == type(first)(first.job_id, new=False)
    with pytest.raises(IdempotencyKeyReused):
        await doors.queue.submit(submission(about="rivers"))
    for other in (
        Submission(kind=IDLE, input={}, idempotency_key="a-key", subject="user-1"),
        Submission(kind=idle_kind("another"), input={}, idempotency_key="a-key"),
    ):
        assert (await doors.queue.submit(other)).new


async def test_the_order_of_an_inputs_fields_makes_no_other_input(doors: Doors) -> None:
    """What is compared is the input, not its bytes."""
    one = Submission(kind=IDLE, input={"a": 1, "b": {"c": 2, "d": 3}}, idempotency_key="a-key")
    same = Submission(kind=IDLE, input={"b": {"d": 3, "c": 2}, "a": 1}, idempotency_key="a-key")

    assert (await doors.queue.submit(one)).job_id == (await doors.queue.submit(same)).job_id


async def test_a_restarted_store_knows_no_scripts_and_takes_jobs_all_the_same(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Also the first submission after the restart, and the first cancel; and the jobs from before are there."""
    with running_valkey(tmp_path_factory.mktemp("restart")) as store:
        async with connect(store.url) as client:
            doors = Doors(client)
            before = await doors.submit()
            await asyncio.to_thread(store.restart)

            after = await doors.submit()

            await doors.queue.cancel(before)
            assert (await doors.snapshot(before))["state"] == "cancelled"
            assert [claim.job_id for claim in await doors.claim("first", slots=2)] == [after]


async def test_the_most_urgent_job_is_claimed_first_and_among_equals_the_oldest(doors: Doors) -> None:
    """Whatever the order in which they were submitted."""
    for priority in (0, 5, 10, 5, 0, 10):
        await doors.submit(priority=priority)

    claimed = [await doors.snapshot(claim.job_id) for _ in range(6) for claim in await doors.claim("first")]

    order = [(-snapshot["priority"], snapshot["created_at"]) for snapshot in claimed]
    assert order == sorted(order)
    assert len(order) == 6


async def test_a_job_that_waited_long_enough_overtakes_a_more_urgent_one(doors: Doors, redis: Client) -> None:
    """One step of priority is a head start of a minute: nothing starves."""
    patient, urgent = await doors.submit(priority=4), await doors.submit(priority=5)
    await redis.zincrby(keys.QUEUE, -HEAD_START_MS - 1000, patient)

    assert [claim.job_id for claim in await doors.claim("first", slots=2)] == [patient, urgent]


async def test_a_delayed_job_is_scheduled_and_claimed_when_it_is_due(doors: Doors, redis: Client) -> None:
    """By the store's clock, not a moment before; until then the claim says how long to wait."""
    job_id = await doors.submit(delay=0.5)
    scheduled = await doors.snapshot(job_id)
    early = await doors.leases.claim(slots=1, token="first", kinds=[IDLE])
    assert (scheduled["state"], early.jobs) == ("scheduled", [])
    assert early.wait_seconds is not None
    assert 0 < early.wait_seconds <= 0.5

    await until(lambda: _claimed(doors))

    running = await doors.snapshot(job_id)
    assert running["started_at"] >= scheduled["run_at"] > scheduled["created_at"]
    assert running["run_at"] == scheduled["run_at"]


async def test_an_urgent_job_that_falls_due_overtakes_those_that_are_less_so(doors: Doors, redis: Client) -> None:
    """Having waited for its time costs it nothing: it gets its head start then."""
    ordinary, urgent = await doors.submit(priority=5), await doors.submit(priority=10, delay=60)
    await redis.zadd(keys.SCHEDULED, {urgent: 0}, xx=True)

    assert [claim.job_id for claim in await doors.claim("first", slots=2)] == [urgent, ordinary]


@pytest.mark.parametrize("way", ["tried again", "asleep", "a parent", "by hand"])
async def test_a_job_that_comes_back_has_the_head_start_of_its_priority_again(way: str, doors: Doors) -> None:
    """It does not wait behind all that came in meanwhile: it is as urgent as when it was submitted."""
    claim = await doors.running(priority=10)
    match way:
        case "tried again":
            await doors.leases.postpone(claim, delay_seconds=1, error=FAILURE)
        case "asleep":
            await doors.leases.suspend(claim, until_us=claim.claimed_us + MICROSECONDS)
        case "a parent":
            child = await doors.submit(parent=claim.job_id)
            await doors.leases.suspend(claim, until_us=None)
            await doors.queue.cancel(child)
        case "by hand":
            await doors.append(claim, lines.end("failed", failure=FAILURE))
            await doors.queue.retry(claim.job_id)
    calm = {await doors.submit(priority=5) for _ in range(3)}
    if way in ("tried again", "asleep"):
        await doors.fall_due(claim.job_id)

    first, *others = [each.job_id for each in await doors.claim("next", slots=4)]
    assert (first, {*others}) == (claim.job_id, calm)


async def test_a_job_for_a_moment_ahead_is_kept_until_long_after_it(doors: Doors) -> None:
    """All of it, the key of its submitter included: nobody's time-out counts before the job is due."""
    moment = datetime.now(UTC) + timedelta(days=366)
    job_id = await doors.submit(run_at=moment, idempotency_key="a-key")

    assert (await doors.snapshot(job_id))["run_at"] == from_microseconds(round(moment.timestamp() * MICROSECONDS))
    short_lived = {name for name, left in (await doors.lifetimes()).items() if left < 380 * 24 * 3600}
    assert short_lived <= {keys.BELL}


async def test_a_moment_that_has_passed_is_now(doors: Doors) -> None:
    """Such a job is queued at once, and starts with the head start of its priority."""
    job_id = await doors.submit(run_at=datetime.now(UTC) - timedelta(minutes=5))

    assert (await doors.snapshot(job_id))["state"] == "queued"
    assert [claim.job_id for claim in await doors.claim("first")] == [job_id]


async def _submit(queue: Queue, what: Submission) -> JobId | None:
    try:
        return (await queue.submit(what)).job_id
    except StoreUnavailable:
        return None


async def _expect_whole(doors: Doors, job_id: JobId, *, key: str | None) -> None:
    names = await doors.lifetimes()
    assert {keys.job(job_id), keys.payload(job_id), keys.ARQ_JOB + job_id, keys.BELL} <= names.keys()
    assert [name for name, left in names.items() if left < 0] == []
    assert any("idempotency" in name for name in names) == (key is not None)
    snapshot = await doors.snapshot(job_id)
    assert (snapshot["state"], snapshot["seq"]) == ("queued", 1)
    assert [event for event, _ in await doors.updates(job_id)] == ["state"]


async def _expect_no_trace(doors: Doors) -> None:
    assert await doors.lifetimes() == {}


async def _claimed(doors: Doors) -> bool:
    return bool(await doors.claim("first"))
