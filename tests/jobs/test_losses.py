"""When a worker is lost: another goes on, the lost one can do no harm, and a job that kills workers is stopped."""

import pytest

from jobs import keys
from jobs.connection import Client
from jobs.errors import LeaseLost
from jobs.leases import Claim
from jobs.model import Failure, JobId, JsonObject
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.jobs.patience import until

REASON = Failure(type="internal-error", title="The job failed", detail="Once more.", retryable=True)
LOSSES = 3
"""So many workers lost in a row with nothing kept in between, and the job is poison."""


async def test_a_job_whose_lease_ran_out_is_given_to_the_next_worker(redis: Client) -> None:
    """It says so, and the attempt is the same one; by the lease's own end, with nobody's help."""
    doors = Doors(redis, lease_seconds=0.3)
    first = await doors.running()

    second: list[Claim] = []
    await until(lambda: _gets(doors, "second", into=second))

    assert [claim.job_id for claim in second] == [first.job_id]
    assert (second[0].attempt, (await _newest(doors, first.job_id))["reason"]) == (1, "worker-lost")


async def test_a_job_that_was_lost_does_not_wait_behind_what_came_after_it(doors: Doors) -> None:
    """It has the place again that it had, in front of two hundred that wait."""
    lost = await doors.running()
    for _ in range(200):
        await doors.submit(priority=0)
    await doors.client.pexpire(keys.lease(lost.job_id), 1)
    await doors.client.zadd(keys.LEASED, {lost.job_id: await _now_ms(doors)})
    await until(lambda: _is_over(doors, lost))

    assert [claim.job_id for claim in await doors.claim("next")] == [lost.job_id]


async def _is_over(doors: Doors, claim: Claim) -> bool:
    return not await doors.client.exists(keys.lease(claim.job_id))


async def _now_ms(doors: Doors) -> int:
    seconds, microseconds = await doors.client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


async def test_a_job_that_kills_its_workers_is_poison(doors: Doors) -> None:
    """The third loss in a row ends it, and leaves the others alone."""
    claim = await doors.running()
    for loss in range(1, LOSSES):
        await doors.lose(claim)
        (claim,) = await doors.claim(f"victim {loss}")
    await doors.lose(claim)
    healthy = await doors.submit()

    assert [each.job_id for each in await doors.claim("last", slots=5)] == [healthy]

    ended = await doors.snapshot(claim.job_id)
    assert (ended["state"], ended["error"]["type"], ended["attempt"]) == ("failed", "poison", 1)
    assert await doors.client.zscore(keys.DEAD_LETTERS, claim.job_id) is not None


async def test_a_job_that_keeps_a_step_between_losses_is_no_poison(doors: Doors) -> None:
    """It gets on, however often its workers are lost."""
    claim = await doors.running()
    for loss in range(3 * LOSSES):
        if loss % (LOSSES - 1) == 0:
            await doors.append(claim, lines.kept(f"step-{loss}", loss))
        await doors.lose(claim)
        (claim,) = await doors.claim(f"victim {loss}")

    assert (await doors.snapshot(claim.job_id))["state"] == "running"


async def test_losses_are_not_in_a_row_when_an_attempt_between_them_ended_by_itself(doors: Doors) -> None:
    """Two losses, an attempt that failed and said so, and another loss."""
    claim = await doors.running()
    for loss in range(1, LOSSES):
        await doors.lose(claim)
        (claim,) = await doors.claim(f"victim {loss}")
    await doors.leases.postpone(claim, delay_seconds=0, error=REASON)
    await doors.fall_due(claim.job_id)
    (claim,) = await doors.claim("survivor")
    await doors.lose(claim)

    assert [each.job_id for each in await doors.claim("last")] == [claim.job_id]


async def test_a_worker_that_lives_on_was_not_killed_by_the_job(doors: Doors) -> None:
    """Its leases ran out, since the store took no renewal, say; it takes its own job again, however often."""
    claim = await doors.running(token="worker-1")
    for number in range(2, 3 * LOSSES):
        await doors.lose(claim)
        (claim,) = await doors.claim(f"worker-{number}")

    assert (await doors.snapshot(claim.job_id))["state"] == "running"


async def test_who_lost_a_job_can_do_nothing_with_it(doors: Doors) -> None:
    """Every write of the old token is refused once another worker has the job, and leaves no trace."""
    zombie = await doors.running(token="zombie")
    await doors.append(zombie, lines.begun("openai"))
    await doors.lose(zombie)
    (owner,) = await doors.claim("owner")
    before = await doors.entries(zombie.job_id), await doors.snapshot(zombie.job_id)

    for late in (lines.wrote("openai", "late", at=0), lines.kept("late", 1), lines.end()):
        with pytest.raises(LeaseLost):
            await doors.append(zombie, late)
    with pytest.raises(LeaseLost):
        await doors.leases.release(zombie)
    with pytest.raises(LeaseLost):
        await doors.leases.postpone(zombie, delay_seconds=0, error=REASON)

    assert (await doors.entries(zombie.job_id), await doors.snapshot(zombie.job_id)) == before
    await doors.append(owner, lines.end())


async def _gets(doors: Doors, token: str, *, into: list[Claim]) -> bool:
    into += await doors.claim(token)
    return bool(into)


async def _newest(doors: Doors, job_id: JobId) -> JsonObject:
    return (await doors.updates(job_id))[-1][1]
