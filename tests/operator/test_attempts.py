"""What is remembered of a job's attempts: who had it, from when to when, and how that ended."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobs import keys
from jobs.attempts import Attempts
from jobs.connection import Client
from jobs.leases import Claim
from jobs.log import Line
from jobs.model import Failure, JobId, JsonObject
from tests.api import Api
from tests.chaos.arena import Arena, open_arena
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.operator.asking import CHAT, told

FAILURE = Failure(type="timeout", title="t", detail="d", retryable=True)
ANSWER: JsonObject = {
    "text": "Hello",
    "model": "model-1",
    "usage": {"input_tokens": 3, "output_tokens": 5, "cost": 0.25},
    "elapsed": 1.5,
    "first_token": 0.2,
    "calls": [],
}


@pytest.fixture
async def arena(tmp_path: Path) -> AsyncIterator[Arena]:
    """A store with workers that may be killed."""
    async with open_arena(tmp_path) as arena:
        yield arena


async def history(client: Client, doors: Doors | Arena, job_id: JobId) -> JsonObject:
    return await Attempts(client).history(await doors.snapshot(job_id))


def outcomes(found: JsonObject) -> list[tuple[int, int, str | None, str | None]]:
    """Run, number, outcome and error of each attempt."""
    return [(each["run"], each["attempt"], each["outcome"], each["error_type"]) for each in found["attempts"]]


async def test_an_attempt_whose_worker_was_killed_is_told_with_the_one_that_followed(arena: Arena) -> None:
    """Each with its own worker; the first ends where its loss was noticed, and the same attempt begins again."""
    first = arena.workers.start()
    job_id = await arena.submit("steps", n=2, pause=0.5)
    await arena.acted(job_id)
    first.kill()
    arena.workers.start()
    await arena.ended(job_id)

    lost, last = (await history(arena.client, arena, job_id))["attempts"]

    assert outcomes({"attempts": [lost, last]}) == [(1, 1, "worker-lost", None), (1, 1, "completed", None)]
    assert f"-{first.pid}-" in lost["worker"]
    assert f"-{first.pid}-" not in last["worker"]
    assert lost["started_at"] < lost["finished_at"] <= last["started_at"] < last["finished_at"]


async def test_the_attempt_under_way_is_the_last_and_has_no_end(doors: Doors) -> None:
    """It has a worker and a beginning."""
    claim = await doors.running(CHAT, token="host-7-abcd-12")

    (attempt,) = (await history(doors.client, doors, claim.job_id))["attempts"]

    assert attempt["worker"] == "host-7-abcd"
    assert attempt["started_at"]
    assert (attempt["finished_at"], attempt["outcome"]) == (None, None)


async def test_every_way_in_which_an_attempt_ends_is_told(doors: Doors) -> None:
    """Tried again, put to sleep, handed back, cancelled, failed for good, and completed in a next run."""
    claim = await doors.running(CHAT, token="w-1")
    await doors.leases.postpone(claim, delay_seconds=60, error=FAILURE)
    (claim,) = await again(doors, claim.job_id, "w-2")
    await doors.leases.suspend(claim, until_us=claim.claimed_us + 60_000_000)
    (claim,) = await again(doors, claim.job_id, "w-3")
    await doors.leases.release(claim)
    (claim,) = await doors.claim("w-4", kinds=[CHAT])
    await doors.queue.cancel(claim.job_id)
    await doors.append(claim, Line("end", head="cancelled"))
    await doors.queue.retry(claim.job_id)
    (claim,) = await doors.claim("w-5", kinds=[CHAT])
    await doors.append(claim, lines.end("failed", failure=FAILURE))
    await doors.queue.retry(claim.job_id)
    (claim,) = await doors.claim("w-6", kinds=[CHAT])
    await doors.append(claim, lines.end())

    assert outcomes(await history(doors.client, doors, claim.job_id)) == [
        (1, 1, "retrying", "timeout"),
        (1, 2, "waiting", None),
        (1, 2, "handed-back", None),
        (1, 2, "cancelled", None),
        (2, 1, "failed", "timeout"),
        (3, 1, "completed", None),
    ]


async def again(doors: Doors, job_id: JobId, token: str) -> list[Claim]:
    """What a worker is given once the job is due."""
    await doors.fall_due(job_id)
    return await doors.claim(token, kinds=[CHAT])


async def test_a_job_that_never_ran_has_no_attempts(doors: Doors) -> None:
    """Also if it has ended."""
    job_id = await doors.submit(CHAT)
    await doors.queue.cancel(job_id)

    assert (await history(doors.client, doors, job_id))["attempts"] == []


async def test_only_the_newest_hundred_are_kept_and_they_go_with_their_job(doors: Doors) -> None:
    """However often it was handed back."""
    claim = await doors.running(CHAT, token="w-0")
    for at in range(1, 120):
        await doors.leases.release(claim)
        (claim,) = await doors.claim(f"w-{at}", kinds=[CHAT])
    await doors.append(claim, lines.end())
    kept = (await history(doors.client, doors, claim.job_id))["attempts"]

    await doors.queue.forget(claim.job_id)

    assert len(kept) == 100
    assert kept[-1]["outcome"] == "completed"
    assert await doors.client.exists(keys.attempts(claim.job_id)) == 0


async def test_a_providers_answer_is_told_as_a_call_of_its_own(operator: Api, doors: Doors) -> None:
    """With its tokens, price and pace; one that is still being written has a beginning and no more."""
    claim = await doors.running(CHAT)
    await doors.append(claim, lines.begun("openai"), lines.begun("google"))
    await doors.append(claim, lines.completed("openai", "Hello"), lines.kept("answer.openai", ANSWER))
    await doors.append(claim, lines.kept("answer.openai:2", ANSWER), lines.kept("fetch", {"text": "no answer"}))

    calls = (await told(operator, f"jobs/{claim.job_id}"))["calls"]

    answered = {"model": "model-1", "elapsed": 1.5, "first_token": 0.2}
    answered |= {"input_tokens": 3, "output_tokens": 5, "cost": 0.25, "provider": "openai", "part": "openai"}
    assert [call["step"] for call in calls] == ["answer.openai", "answer.openai:2", "answer.google"]
    assert answered.items() <= calls[0].items()
    assert calls[0]["attempt"] == 1
    assert calls[0]["started_at"]
    assert (calls[2]["provider"], calls[2]["model"], calls[2]["cost"]) == ("google", None, None)
