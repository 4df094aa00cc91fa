"""How a running job stops: for its canceller, for the end of its worker, or because it was lost."""

import asyncio

import pytest
from pydantic import JsonValue

from jobs.kind import Run
from jobs.model import JsonObject
from tests.jobs.doors import Nothing
from tests.workers.workshop import Workshop
from workers.runner import Stop


@pytest.mark.parametrize(
    ("why", "state", "reason"), [(Stop.SHUTDOWN, "queued", "handed-back"), (Stop.CANCELLED, "cancelled", None)]
)
@pytest.mark.parametrize("cleans_up", ["well", "badly"])
async def test_a_job_that_is_told_to_stop_ends_as_it_was_told(
    why: Stop, state: str, reason: str | None, cleans_up: str, workshop: Workshop
) -> None:
    """Also when what it does on its way out fails: that is no failed attempt."""
    started = asyncio.Event()

    async def perform(_run: Run, _input: Nothing) -> JsonValue:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            if cleans_up == "badly":
                raise ConnectionError("It did not close.")
        return None

    await workshop.submit(perform, max_attempts=1)
    snapshot, newest = await _stopped(workshop, started, why)

    assert (snapshot["state"], snapshot["attempt"], snapshot["error"]) == (state, 1, None)
    assert newest.get("reason") == reason


async def test_a_worker_that_lost_its_job_says_nothing_more(workshop: Workshop) -> None:
    """The log is as the next worker finds it."""
    started = asyncio.Event()

    async def perform(_run: Run, _input: Nothing) -> JsonValue:
        started.set()
        await asyncio.Event().wait()
        return None

    await workshop.submit(perform)

    snapshot, newest = await _stopped(workshop, started, Stop.LOST)

    assert (snapshot["state"], newest["state"]) == ("running", "running")


@pytest.mark.parametrize("why", [Stop.SHUTDOWN, Stop.CANCELLED])
async def test_a_busy_job_stops_at_whatever_moment_it_is_told(why: Stop, workshop: Workshop) -> None:
    """It writes one update after the other and is stopped after more and more turns of the loop: at every await."""
    written = 0

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        nonlocal written
        while True:
            await run.progress(percent=written % 100)
            written += 1

    for turns in range(60):
        job_id = await workshop.submit(perform)
        running = await workshop.claim()
        async with asyncio.TaskGroup() as tasks:
            run = tasks.create_task(workshop.run(running))
            for _ in range(20 + turns):
                await asyncio.sleep(0)
            written_before = written
            running.stop(why)
        assert run.result()["state"] == ("queued" if why is Stop.SHUTDOWN else "cancelled")
        assert written <= written_before + 1
        await workshop.doors.queue.cancel(job_id)


async def _stopped(workshop: Workshop, started: asyncio.Event, why: Stop) -> tuple[JsonObject, JsonObject]:
    running = await workshop.claim()
    async with asyncio.TaskGroup() as tasks:
        run = tasks.create_task(workshop.run(running))
        await started.wait()
        running.stop(why)
    return run.result(), (await workshop.doors.updates(running.claim.job_id))[-1][1]
