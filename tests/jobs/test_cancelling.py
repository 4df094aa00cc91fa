"""Cancelling: at once where no worker holds the job, else by the one that does; and never twice."""

import pytest

from jobs import keys
from jobs.connection import Client
from jobs.errors import JobNotFound, StorageFull
from jobs.model import Failure, JobId
from tests.jobs import lines
from tests.jobs.doors import Doors

REASON = Failure(type="internal-error", title="The job failed", detail="Once more.", retryable=True)


@pytest.mark.parametrize("state", ["scheduled", "queued", "retrying", "handed back"])
async def test_a_job_that_no_worker_holds_is_cancelled_at_once(state: str, doors: Doors) -> None:
    """Its end is there before the cancel answers, and no worker gets it any more."""
    job_id = await _job_in(state, doors)

    assert await doors.queue.cancel(job_id)

    events = [event for event, _ in await doors.updates(job_id)]
    assert (await doors.snapshot(job_id))["state"] == "cancelled"
    assert (events[-1], events.count("end")) == ("end", 1)
    assert not await doors.queue.cancel(job_id)
    assert await doors.claim("second") == []


async def test_a_job_whose_worker_was_lost_is_cancelled_at_once(doors: Doors, redis: Client) -> None:
    """Nobody holds it, so nobody needs to be asked; there may be no worker left to notice."""
    claim = await doors.running()
    await redis.delete(keys.lease(claim.job_id))

    assert await doors.queue.cancel(claim.job_id)

    assert (await doors.snapshot(claim.job_id))["state"] == "cancelled"


async def test_a_running_job_is_asked_to_stop_and_its_worker_says_when_it_has(doors: Doors, redis: Client) -> None:
    """Cancelling until the worker ends it; asking twice changes nothing; workers hear of it at once."""
    claim = await doors.running()
    async with redis.pubsub() as subscription:
        await subscription.subscribe(keys.CANCELS)
        assert await subscription.get_message(timeout=30), "no confirmation"

        assert await doors.queue.cancel(claim.job_id)

        message = await subscription.get_message(timeout=30)
    assert message
    assert message["data"].decode() == claim.job_id
    assert (await doors.snapshot(claim.job_id))["state"] == "cancelling"
    assert not await doors.queue.cancel(claim.job_id)
    await doors.append(claim, lines.end("cancelled"))
    assert (await doors.snapshot(claim.job_id))["state"] == "cancelled"


@pytest.mark.parametrize("way_out", ["postponed", "released", "lost"])
async def test_a_job_that_is_cancelled_while_its_attempt_fails_does_not_come_back(way_out: str, doors: Doors) -> None:
    """However its worker lets it go after it was asked to stop, it ends as cancelled."""
    claim = await doors.running()
    await doors.queue.cancel(claim.job_id)

    match way_out:
        case "postponed":
            await doors.leases.postpone(claim, delay_seconds=0, error=REASON)
        case "released":
            await doors.leases.release(claim)
        case "lost":
            await doors.lose(claim)
            assert await doors.claim("second") == []

    assert (await doors.snapshot(claim.job_id))["state"] == "cancelled"
    assert [event for event, _ in await doors.updates(claim.job_id)].count("end") == 1


async def test_cancelling_what_is_not_there_says_so(doors: Doors) -> None:
    """An unknown job, or one that has expired."""
    with pytest.raises(JobNotFound):
        await doors.queue.cancel(JobId("no-such-job-anywhere"))


async def test_a_full_store_takes_no_job_but_lets_one_be_cancelled(doors: Doors, redis: Client) -> None:
    """Cancelling makes room in the end."""
    claim, waiting = await doors.running(), await doors.submit()
    await redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(StorageFull):
            await doors.submit()

        await doors.queue.cancel(waiting)
        await doors.queue.cancel(claim.job_id)
    finally:
        await redis.config_set("maxmemory", 0)

    states = [(await doors.snapshot(job_id))["state"] for job_id in (waiting, claim.job_id)]
    assert states == ["cancelled", "cancelling"]


async def _job_in(state: str, doors: Doors) -> JobId:
    if state == "scheduled":
        return await doors.submit(delay=60)
    if state == "queued":
        return await doors.submit()
    claim = await doors.running()
    if state == "retrying":
        await doors.leases.postpone(claim, delay_seconds=60, error=REASON)
    else:
        await doors.leases.release(claim)
    return claim.job_id
