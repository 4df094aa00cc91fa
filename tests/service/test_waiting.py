"""`Prefer: wait` on a submission: held until its job has ended, however that is, and no longer than it was asked."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from httpx2 import Response

from jobs import keys
from jobs.connection import Client
from jobs.model import Failure, JobId, State
from tests.api import Api
from tests.jobs.doors import Doors
from tests.jobs.patience import until
from tests.transports.hand import take_in_hand

CHAT = {"kind": "chat", "input": {"message": "Why?"}}
FAILURE = Failure(type="provider-failed", title="No answer", detail="No provider answered.", retryable=False)

End = Callable[[Api, Doors, JobId], Awaitable[object]]


async def completed(_caller: Api, doors: Doors, job_id: JobId) -> None:
    hand = await take_in_hand(doors, job_id)
    await hand.write(hand.begin("openai"), hand.say("openai", "Be"))
    await hand.write(hand.end(State.COMPLETED, result={"openai": "Because."}))


async def failed(_caller: Api, doors: Doors, job_id: JobId) -> None:
    hand = await take_in_hand(doors, job_id)
    await hand.write(hand.end(State.FAILED, failure=FAILURE))


async def cancelled_in_the_queue(caller: Api, _doors: Doors, job_id: JobId) -> None:
    await caller.http.post(f"/v1/jobs/{job_id}/cancel")


async def cancelled_at_work(caller: Api, doors: Doors, job_id: JobId) -> None:
    hand = await take_in_hand(doors, job_id)
    await caller.http.post(f"/v1/jobs/{job_id}/cancel")
    await hand.write(hand.end(State.CANCELLED))


async def completed_at_the_second_try(_caller: Api, doors: Doors, job_id: JobId) -> None:
    hand = await take_in_hand(doors, job_id)
    await doors.leases.postpone(hand.claim, delay_seconds=60, error=FAILURE)
    await doors.fall_due(job_id)
    hand = await take_in_hand(doors, job_id, token="second")
    await hand.write(hand.end(State.COMPLETED, result={"openai": "Because."}))


ENDS: list[tuple[End, str]] = [
    (completed, "completed"),
    (failed, "failed"),
    (cancelled_in_the_queue, "cancelled"),
    (cancelled_at_work, "cancelled"),
    (completed_at_the_second_try, "completed"),
]


@pytest.mark.parametrize(("end", "state"), ENDS)
async def test_a_submission_that_waits_is_answered_with_its_jobs_end(
    caller: Api, doors: Doors, redis: Client, end: End, state: str
) -> None:
    """201 and the whole snapshot, whatever the end; a repeat that waits gets it too, as 200."""
    waiting = asyncio.create_task(submit(caller, wait=100))
    job_id = await the_job(caller)
    await until(partial(is_waited_for, redis, job_id))
    repeating = asyncio.create_task(submit(caller, wait=100))
    await end(caller, doors, job_id)

    created, repeated = await waiting, await repeating

    told = created.json()
    assert (created.status_code, told["state"], told["id"]) == (201, state, job_id)
    assert (told["result"] is None, told["error"] is None) == (state != "completed", state != "failed")
    assert created.headers["preference-applied"] == "wait=100"
    assert (repeated.status_code, repeated.json()["state"]) == (200, state)


async def test_a_repeat_waits_for_the_job_that_is_there(caller: Api, doors: Doors, redis: Client) -> None:
    """It is held like the first one, and answered at once when there is nothing to wait for any more."""
    first = await submit(caller, wait=None)
    job_id = JobId(first.json()["id"])
    waiting = asyncio.create_task(submit(caller, wait=100))
    await until(partial(is_waited_for, redis, job_id))
    held = not waiting.done()
    await completed(caller, doors, job_id)
    answers = [await waiting, await submit(caller, wait=100)]

    assert (first.status_code, held) == (202, True)
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "completed")] * 2
    assert all(answer.headers["idempotent-replayed"] == "true" for answer in answers)


async def test_a_submission_waits_no_longer_than_it_asked(caller: Api) -> None:
    """202 and the job as it is then; the job goes on."""
    answer = await submit(caller, wait=1)

    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert answer.headers["preference-applied"] == "wait=1"


async def test_a_job_that_is_forgotten_under_a_submission_that_waits_is_a_404(
    caller: Api, doors: Doors, redis: Client
) -> None:
    waiting = asyncio.create_task(submit(caller, wait=100, subject="one"))
    await until(partial(is_waited_for, redis, await the_job(caller)))

    assert (await caller.http.delete("/v1/subjects/one")).status_code == 202

    assert (await waiting).status_code in (201, 404)  # 201: it read the cancelled job just before it went


async def submit(caller: Api, *, wait: int | None, **more: str) -> Response:
    headers = {"Idempotency-Key": "k"} | ({} if wait is None else {"Prefer": f"wait={wait}"})
    return await caller.http.post("/v1/jobs", json=CHAT | more, headers=headers, timeout=120)


async def the_job(caller: Api) -> JobId:
    """The one job, once it is there."""
    found: list[JobId] = []

    async def is_there() -> bool:
        found.extend(item["id"] for item in (await caller.http.get("/v1/jobs")).json()["items"])
        return bool(found)

    await until(is_there)
    return found[0]


async def is_waited_for(redis: Client, job_id: JobId) -> bool:
    """Whether somebody listens to the job."""
    ((_, listeners),) = await redis.pubsub_numsub(keys.channel(job_id))
    return bool(listeners)
