"""What the old paths answer about a job, state by state: a test plays the worker."""

from typing import Any

import pytest

from jobs.kinds import KINDS
from jobs.model import Failure, JsonObject, State
from service.routes.compat.telling import progress_of
from tests.api import Api
from tests.compat.front_ends import FUNCTIONS
from tests.jobs.doors import Doors
from tests.transports.hand import Hand, take_in_hand

FAILURE = Failure(type="provider-failed", title="No answer", detail="No provider answered.", retryable=False)
NO_ANSWER = {"ok": False, "text": "", "model": "m-1", "usage": None, "elapsed": None, "error": FAILURE.detail}


async def asked(caller: Api, **body: Any) -> str:
    """A chat's id, as the old path gives it."""
    answer = await caller.http.post("/api/ai/chat", json={"message": "Why?", **body})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["chatId"])


async def chat_status(caller: Api, chat_id: str) -> JsonObject:
    answer = await caller.http.get("/api/ai/chat/status", params={"id": chat_id})
    assert answer.status_code == 200, answer.text
    told: JsonObject = answer.json()
    return told


async def job_status(caller: Api, job_id: str, path: str = "check-job-status") -> JsonObject:
    answer = await caller.http.get(f"{FUNCTIONS}/{path}", params={"jobId": job_id})
    assert answer.status_code == 200, answer.text
    told: JsonObject = answer.json()
    return told


async def test_a_chat_is_answered_at_once_and_its_results_come_one_by_one(caller: Api, doors: Doors) -> None:
    """A provider's result is there when all of it is; one that still writes has none yet."""
    accepted = await caller.http.post("/api/ai/chat", json={"message": "Why?"})
    chat_id = accepted.json()["chatId"]
    seen = [await chat_status(caller, chat_id)]
    hand = await take_in_hand(doors, chat_id)
    await hand.write(hand.begin("openai"), hand.begin("google"), hand.say("openai", "Be"), hand.say("google", "I"))
    seen.append(await chat_status(caller, chat_id))
    await hand.write(hand.say("openai", "cause."), hand.finish("openai", "completed", elapsed=0.5))
    seen.append(await chat_status(caller, chat_id))
    await hand.write(hand.finish("google", "failed", error=FAILURE.model_dump()))
    await hand.write(hand.end(State.COMPLETED, result={"openai": {}, "google": {}}))
    seen.append(await chat_status(caller, chat_id))

    answer = {"ok": True, "text": "Because.", "model": "m-1", "usage": None, "elapsed": 0.5}
    assert accepted.json() == {"success": True, "chatId": chat_id, "status": "pending"}
    assert [told["status"] for told in seen] == ["pending", "processing", "processing", "completed"]
    assert [told["results"] for told in seen] == [
        {},
        {},
        {"openai": answer},
        {"openai": answer, "google": NO_ANSWER | {"text": "I"}},
    ]
    assert all(told["success"] and told["chatId"] == chat_id and told["createdAt"] for told in seen)
    assert [told["completedAt"] is None for told in seen] == [True, True, True, False]
    assert seen[-1]["error"] is None


async def test_google_is_called_gemini_by_whoever_calls_it_so(caller: Api, doors: Doors) -> None:
    """It is the same provider; its result comes back under the name that was used."""
    results = []
    for models in ({"openai": "m", "gemini": "g"}, {"openai": "m", "google": "g"}):
        chat_id = await asked(caller, models=models)
        hand = await take_in_hand(doors, chat_id)
        for name in ("openai", "google"):
            await hand.write(hand.begin(name), hand.say(name, "Hi."), hand.finish(name, "completed"))
        await hand.write(hand.end(State.COMPLETED, result={"openai": {}, "google": {}}))
        results.append([list((await chat_status(caller, chat_id))["results"])])
        results[-1].append(list((await job_status(caller, chat_id))["result"]))

    assert results == [[["openai", "gemini"]] * 2, [["openai", "google"]] * 2]


async def test_a_failed_chat_says_why_and_a_cancelled_one_reads_failed(caller: Api, doors: Doors) -> None:
    """On each path: no status is told that the old pages do not know."""
    failed, cancelled = await asked(caller), await asked(caller)
    hand = await _hand(doors, "chat")
    await hand.write(hand.begin("openai"), hand.finish("openai", "failed", error=FAILURE.model_dump()))
    await hand.write(hand.end(State.FAILED, failure=FAILURE))
    await caller.http.post(f"/v1/jobs/{cancelled}/cancel")

    for told in (await chat_status(caller, failed), await job_status(caller, failed)):
        assert (told["status"], told["error"]) == ("failed", FAILURE.detail)
    assert (await chat_status(caller, failed))["results"] == {"openai": NO_ANSWER}
    for told in (await chat_status(caller, cancelled), await job_status(caller, cancelled)):
        assert (told["status"], told["error"]) == ("failed", "The job was cancelled.")


async def test_a_background_job_is_processing_until_it_has_ended(caller: Api, doors: Doors) -> None:
    """Also while it waits for a worker, and while another try follows a failed one; then it has its result."""
    body = {"transcript": "We met.", "jobId": "mine-1"}
    accepted = await caller.http.post(f"{FUNCTIONS}/transcript-to-journey-background", json=body)
    seen = [await job_status(caller, "mine-1")]
    hand = await _hand(doors, "transcript-to-journey")
    seen.append(await job_status(caller, "mine-1"))
    await hand.write(hand.progress(message="Reading the transcript...", percent=10))
    seen.append(await job_status(caller, "mine-1"))
    await doors.leases.postpone(hand.claim, delay_seconds=60, error=FAILURE)
    seen.append(await job_status(caller, "mine-1"))
    await doors.fall_due(hand.claim.job_id)
    hand = await _hand(doors, "transcript-to-journey", token="second")
    await hand.write(hand.end(State.COMPLETED, result={"title": "A meeting"}))
    seen.append(await job_status(caller, "mine-1"))

    assert accepted.json() == {"success": True, "jobId": "mine-1", "status": "processing"}
    assert [told["status"] for told in seen] == ["processing"] * 4 + ["completed"]
    assert [told["result"] for told in seen] == [None] * 4 + [{"title": "A meeting"}]
    assert [told["error"] for told in seen] == [None] * 5
    assert {(told["success"], told["jobId"]) for told in seen} == {(True, "mine-1")}
    assert seen[0]["progress"] == "Starting analysis..."
    assert seen[2]["progress"].startswith("Reading the transcript... ")
    assert seen[-1]["progress"] is None
    assert seen[-1]["completedAt"] > seen[-1]["createdAt"]


@pytest.mark.parametrize(
    ("started", "message", "phrase"),
    [
        (None, None, "Starting analysis..."),
        ("00:00", None, "Processing... 12s"),
        ("00:00", "Starting analysis...", "Starting analysis... 12s"),
        (
            "00:00",
            "Still analyzing... (complex diagram)",
            "Still analyzing... 12s (complex diagram)",
        ),
        ("00:00", "Part 3 of 7", "Part 3 of 7... 12s"),
        ("00:11.5", "Starting analysis...", "Starting analysis..."),
    ],
)
def test_progress_is_a_phrase_with_seconds(started: str | None, message: str | None, phrase: str) -> None:
    """The kind says what it does; the seconds are those since it started."""
    snapshot: JsonObject = {
        "state": "running",
        "started_at": started and f"2026-11-21T22:{started}Z",
        "finished_at": "2026-11-21T22:00:12.000Z",
        "progress": {"message": message} if message else {},
    }
    assert progress_of(snapshot) == phrase


async def test_a_copys_counters_are_told_as_they_were_called(caller: Api, doors: Doors) -> None:
    """Before, in the middle and after; what is not known yet counts nothing."""
    job_id = await doors.submit(KINDS["copy-records"], idempotency_key="mine-1")
    seen = [await job_status(caller, "mine-1", "simple-status")]
    hand = await _hand(doors, "copy-records")
    counters = {"total": 10, "processed": 4, "inserted": 2, "updated": 1, "errors": 1}
    await hand.write(hand.progress(**counters, percent=40.0, message="4 of 10 records"))
    seen.append(await job_status(caller, job_id, "simple-status"))
    await hand.write(hand.end(State.FAILED, failure=FAILURE))
    seen.append(await job_status(caller, "mine-1", "simple-status"))

    assert seen[0] == {
        "jobId": "mine-1", "status": "pending", "operation": "copy-taskdetail", "totalRecords": 0,
        "processedRecords": 0, "insertedRecords": 0, "updatedRecords": 0, "errorRecords": 0, "percentComplete": 0,
        "startTime": None, "endTime": None, "message": None, "error": None,
    }  # fmt: skip
    assert seen[1] | {"startTime": ""} == seen[0] | {
        "jobId": job_id, "status": "in_progress", "totalRecords": 10, "processedRecords": 4, "insertedRecords": 2,
        "updatedRecords": 1, "errorRecords": 1, "percentComplete": 40, "message": "4 of 10 records", "startTime": "",
    }  # fmt: skip
    assert (seen[2]["status"], seen[2]["error"]) == ("failed", FAILURE.detail)
    assert seen[2]["endTime"] > seen[2]["startTime"]


async def _hand(doors: Doors, kind: str, *, token: str = "") -> Hand:
    """The one job of the kind that is due, claimed."""
    (claim,) = await doors.claim(token or f"hand-of-{kind}", kinds=[KINDS[kind]])
    return Hand(doors, claim)
