"""Jobs by the clock: each slot once, whoever looks and however late."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import JsonValue

from jobs import keys
from jobs.cron import Cron, Schedule
from jobs.index import Index
from jobs.kind import Run
from jobs.model import JobId
from tests.engine.conftest import Engine
from tests.engine.test_workflows import Anything, kind


async def nothing(_run: Run, _input: Anything) -> JsonValue:
    return None


NIGHTLY = kind("nightly", nothing)


async def daily(engine: Engine) -> Schedule:
    """A schedule whose slots are twelve hours away: none comes while a test runs."""
    now = await store_time(engine)
    return Schedule("daily", NIGHTLY, {"n": 3}, hour=(now.hour + 12) % 24)


async def store_time(engine: Engine) -> datetime:
    seconds, _ = await engine.client.time()
    return datetime.fromtimestamp(seconds, UTC)


async def looked_last(engine: Engine, schedule: Schedule, ago: timedelta) -> None:
    """Some worker has looked at the schedule so long ago, and none since."""
    await engine.client.set(keys.cron(schedule.name), (await store_time(engine) - ago).isoformat())


async def job_ids(engine: Engine) -> list[JobId]:
    """Every job that there is."""
    return [listed.job_id async for listed in Index(engine.client, keys.JOBS).newest()]


async def test_a_slot_is_submitted_once_by_many_workers_that_look_at_the_same_time(engine: Engine) -> None:
    """Sixteen of them, several times each."""
    schedule = await daily(engine)
    await looked_last(engine, schedule, timedelta(days=1))
    workers = [Cron(engine.client, [schedule]) for _ in range(16)]

    for _ in range(3):
        await asyncio.gather(*(cron.tick() for cron in workers))

    assert len(await job_ids(engine)) == 1


async def test_slots_that_were_missed_are_caught_up_by_one_run(engine: Engine) -> None:
    """Nobody looked for five days: one job, for the newest slot."""
    schedule = await daily(engine)
    await looked_last(engine, schedule, timedelta(days=5))

    assert await Cron(engine.client, [schedule]).tick() == 1

    assert len(await job_ids(engine)) == 1
    noted = await engine.client.get(keys.cron("daily"))
    assert noted is not None
    assert await store_time(engine) - datetime.fromisoformat(noted.decode()) < timedelta(days=1)


async def test_a_worker_that_died_between_the_job_and_its_note_makes_no_second_job(engine: Engine) -> None:
    """The next one finds the slot due again, and the job by its key."""
    schedule = await daily(engine)
    for _ in range(2):
        await looked_last(engine, schedule, timedelta(days=1))
        assert await Cron(engine.client, [schedule]).tick() == 1

    assert len(await job_ids(engine)) == 1


async def test_a_new_schedule_begins_with_its_next_slot(engine: Engine) -> None:
    """It does not run for a past in which it was not there."""
    assert await Cron(engine.client, [Schedule("young", NIGHTLY, hour=3)]).tick() == 0
    assert await job_ids(engine) == []


@pytest.mark.parametrize(
    ("schedule", "after", "now", "slot"),
    [
        (Schedule("", NIGHTLY, hour=3), "2026-03-01T02:59:59", "2026-03-01T03:00:00", "2026-03-01T03:00:00"),
        (Schedule("", NIGHTLY, hour=3), "2026-03-01T03:00:00", "2026-03-02T02:59:59", None),
        (Schedule("", NIGHTLY, hour=3), "2026-03-01T03:00:00", "2026-03-04T12:00:00", "2026-03-04T03:00:00"),
        (Schedule("", NIGHTLY, minute=None), "2026-03-01T10:00:00", "2026-03-01T10:00:59", None),
        (Schedule("", NIGHTLY, minute=30), "2026-02-28T23:45:00", "2026-03-01T00:30:00", "2026-03-01T00:30:00"),
        (
            Schedule("", NIGHTLY, weekday=0, hour=6),
            "2026-03-01T00:00:00",
            "2026-03-06T00:00:00",
            "2026-03-02T06:00:00",
        ),
        (Schedule("", NIGHTLY, hour=3), "2020-01-01T00:00:00", "2026-03-04T12:00:00", "2026-03-04T03:00:00"),
    ],
)
def test_the_latest_slot_is_the_newest_that_has_come(
    schedule: Schedule, after: str, now: str, slot: str | None
) -> None:
    """In (after, now], by UTC; however long ago the last look was."""
    found = schedule.latest_slot(*(datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (after, now)))

    assert found == (None if slot is None else datetime.fromisoformat(slot).replace(tzinfo=UTC))


async def test_workers_run_what_is_scheduled(engine: Engine) -> None:
    """The job has the schedule's input, and ends like any other."""
    engine.know(NIGHTLY)
    engine.schedules.append(await daily(engine))
    await looked_last(engine, engine.schedules[0], timedelta(days=1))
    async with engine.worker(), engine.worker():
        async with asyncio.timeout(20):
            while not (found := await job_ids(engine)):
                await engine.client.ping()
        ended = await engine.ended(found[0])

    assert ended["state"] == "completed"
