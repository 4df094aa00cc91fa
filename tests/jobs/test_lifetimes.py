"""How long what the store holds of a job stays: every key has an end, and none before its time."""

from jobs import keys
from jobs.clock import MICROSECONDS
from jobs.connection import Client
from jobs.kind import DAY_SECONDS
from jobs.model import JobId
from tests.jobs import lines
from tests.jobs.doors import Doors, idle_kind
from tests.jobs.patience import until

RETENTION_SECONDS = 100
SLEEP_DAYS = 40
SHORT_LIVED = idle_kind(retention_seconds=RETENTION_SECONDS, failed_retention_seconds=RETENTION_SECONDS)


async def test_every_key_expires_at_every_stage(doors: Doors) -> None:
    """No act on a job leaves a key for ever; after the end all of it goes with the retention."""
    job_id = await doors.submit(SHORT_LIVED, idempotency_key="key", subject="user-1")
    await _expect_mortal(doors)
    (claim,) = await doors.claim("first", kinds=[SHORT_LIVED])
    await _expect_mortal(doors)

    for flush in lines.whole_story():
        await doors.append(claim, *flush)
        await _expect_mortal(doors)

    of_the_job = {name: left for name, left in (await doors.lifetimes()).items() if str(job_id) in name}
    assert all(RETENTION_SECONDS - 30 < left <= RETENTION_SECONDS for left in of_the_job.values()), of_the_job


async def test_an_ended_job_vanishes_whole_with_its_retention(doors: Doors, redis: Client) -> None:
    """Its idempotency key goes too, so that the same submission makes a new job."""
    kind = idle_kind(retention_seconds=1)
    claim = await doors.running(kind, idempotency_key="key")
    for flush in lines.whole_story():
        await doors.append(claim, *flush)

    await until(lambda: _nothing_of(redis, claim.job_id))

    assert await doors.submit(kind, idempotency_key="key") != claim.job_id


async def test_a_claim_gives_a_job_its_whole_life_anew(doors: Doors, redis: Client) -> None:
    """One that waited so long that it was about to expire does not vanish under its worker."""
    claim = await doors.running()
    await doors.append(claim, *(line for flush in lines.whole_story()[:-1] for line in flush))
    await doors.lose(claim)
    for name in await doors.lifetimes():
        await redis.expire(name, 5)

    await doors.claim("second")

    of_the_job = {
        name: left
        for name, left in (await doors.lifetimes()).items()
        if name.startswith(f"{keys.PREFIX}{claim.job_id}:")
    }
    assert {f"{keys.PREFIX}{claim.job_id}:{what}" for what in ("job", "input", "log", "kept")} <= of_the_job.keys()
    assert all(left > 24 * 3600 for left in of_the_job.values()), of_the_job


async def _expect_mortal(doors: Doors) -> None:
    lifetimes = await doors.lifetimes()
    assert [name for name, left in lifetimes.items() if left < 0] == []


async def _nothing_of(redis: Client, job_id: JobId) -> bool:
    names = [name async for name in redis.scan_iter(match=f"*{job_id}*")]
    return names == [] and not [name async for name in redis.scan_iter(match="*idempotency*")]


async def test_a_job_that_sleeps_for_longer_than_a_month_is_there_when_it_wakes(doors: Doors) -> None:
    """Every key of it outlives its sleep by a month."""
    claim = await doors.running(idempotency_key="key")
    for flush in lines.whole_story()[:-1]:
        await doors.append(claim, *flush)

    await doors.leases.suspend(claim, until_us=claim.claimed_us + SLEEP_DAYS * DAY_SECONDS * MICROSECONDS)

    of_the_job = {name: left for name, left in (await doors.lifetimes()).items() if str(claim.job_id) in name}
    assert len(of_the_job) > 5
    assert all(left > (SLEEP_DAYS + 29) * DAY_SECONDS for left in of_the_job.values()), of_the_job
