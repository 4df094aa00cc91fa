"""Schedules as the operator sees them, and one of them run by hand."""

from datetime import timedelta

import pytest

from jobs import keys
from jobs.cron import Cron, Schedule
from tests.api import Api
from tests.engine.conftest import Engine
from tests.engine.test_schedules import NIGHTLY, daily, job_ids, looked_last
from tests.jobs.doors import Doors
from tests.operator.asking import done, ids, told


async def test_a_schedule_runs_by_hand_beside_its_slots(operator: Api, doors: Doors) -> None:
    """Each time anew; its next slot is where it was."""
    before = await told(operator, "schedules")
    run = [(await done(operator, "schedules/nightly-summaries/run"))["job_id"] for _ in range(2)]

    assert await ids(operator, "jobs", kind="summarize-stale") == run[::-1]
    assert (await told(operator, "schedules"))["items"] == before["items"]
    assert before["items"][0]["when"] == "every day at 03:00 UTC"
    assert before["items"][0]["last"] is None
    assert "T03:00:00.000Z" in before["items"][0]["next"]


async def test_the_last_slot_is_told_once_it_was_submitted(engine: Engine) -> None:
    """And not when somebody has merely begun to look."""
    schedule = await daily(engine)
    cron = Cron(engine.client, [schedule])
    await cron.tick()
    (young,) = await cron.listed()
    await looked_last(engine, schedule, timedelta(days=1))
    await cron.tick()
    (told_after,) = await cron.listed()

    assert young["last"] is None
    assert told_after["last"] < told_after["next"]
    assert len(await job_ids(engine)) == 1
    assert await engine.client.get(keys.cron("daily"))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (Schedule("", NIGHTLY, hour=3), "every day at 03:00 UTC"),
        (Schedule("", NIGHTLY, weekday=0, hour=6, minute=30), "every Monday at 06:30 UTC"),
        (Schedule("", NIGHTLY, minute=15), "minute 15 of every hour"),
        (Schedule("", NIGHTLY, minute=None), "every minute of every hour"),
        (Schedule("", NIGHTLY, weekday=6, minute=0), "minute 0 of every hour, every Sunday"),
        (Schedule("", NIGHTLY, hour=4, minute=None), "every minute from 04:00 to 04:59 UTC, every day"),
    ],
)
def test_when_it_comes_round_is_said_in_words(schedule: Schedule, words: str) -> None:
    """Whatever of it is left open."""
    assert schedule.when == words
