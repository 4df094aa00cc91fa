"""What jobs hold is shown to the operator where it asks for that, and nowhere else."""

import re

from jobs.model import Failure, JobId, JsonObject
from jobs.queue import Submission
from service.compound import Word
from tests.api import Api
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.operator.asking import CHAT, done, ids, told

CANARIES = INPUT, PART, RESULT, STEP = tuple(f"canary-of-the-{name}" for name in ("input", "part", "result", "step"))
FAILURE = Failure(type="timeout", title="t", detail="d", retryable=False)


async def told_all(doors: Doors, *, fails: bool) -> JobId:
    """A job with a canary in each of its contents."""
    submission = Submission(CHAT, {"message": INPUT}, subject="one", metadata={"page": "here"})
    job_id = (await doors.queue.submit(submission)).job_id
    (claim,) = await doors.claim(f"worker-{job_id}-1", kinds=[CHAT])
    await doors.append(claim, lines.begun("openai"), lines.wrote("openai", PART, at=0))
    answer: JsonObject = {"text": PART, "model": "m", "usage": None, "elapsed": 1.0, "first_token": None, "calls": []}
    await doors.append(claim, lines.kept("answer.openai", answer), lines.kept("fetch", STEP))
    await doors.append(claim, lines.completed("openai", PART))
    end = lines.end("failed", failure=FAILURE) if fails else lines.end(result={"text": RESULT})
    await doors.append(claim, end)
    return job_id


async def test_no_word_of_a_job_is_anywhere_but_in_its_contents(operator: Api, doors: Doors) -> None:
    """Lists, the job itself, dead letters, figures, what acts answer, the audit log: a canary is in none of them."""
    completed, dead = await told_all(doors, fails=False), await told_all(doors, fails=True)
    paths = [
        "figures",
        "jobs",
        "dead-letters",
        "kinds",
        "schedules",
        "deliveries",
        f"jobs/{completed}",
        f"jobs/{dead}",
    ]
    shown = [(await operator.http.get(f"/v1/operator/{path}")).text for path in paths]
    contents = [(await told(operator, f"jobs/{job_id}/contents")) for job_id in (completed, dead)]
    shown += [
        (await operator.http.post(f"/v1/operator/jobs/{job_id}/{act}")).text
        for job_id in (completed, dead)
        for act in ("cancel", "retry")
    ]
    shown.append((await operator.http.get("/v1/operator/audit")).text)

    assert [canary for canary in CANARIES for text in shown if canary in text] == []
    assert dead in shown[-2]
    assert contents[0] == {"input": {"message": INPUT}, "result": {"text": RESULT}, "parts": {"openai": PART}}
    assert contents[1] == {"input": {"message": INPUT}, "result": None, "parts": {"openai": PART}}


async def test_that_a_job_moves_is_followed_without_a_word_of_it(operator: Api, doors: Doors) -> None:
    """The snapshot, each update and the end come, by the cursors of any stream; canaries and digests don't."""
    job_id = await told_all(doors, fails=False)
    first = (await doors.entries(job_id))[0].cursor
    beginning = str(Word({job_id: first}))
    asked = "/v1/operator/jobs/stream"

    whole = (await operator.http.get(asked, params={"job": job_id})).text
    moves = (await operator.http.get(asked, params={"job": job_id, "after": beginning})).text

    assert [secret for secret in (*CANARIES, 'sha256":"') if secret in whole + moves] == []
    assert re.findall("event: (.+)", whole) == ["snapshot", "end"]
    assert [event for event, _ in (await doors.updates(job_id))[1:]] == re.findall("event: (.+)", moves)
    assert (await told(operator, "audit"))["items"] == []


async def test_to_read_or_follow_a_log_is_noted(operator: Api, doors: Doors) -> None:
    """Which has all that the job says in it, as any client gets it; a log that is not there is none that was read."""
    job_id = await told_all(doors, fails=False)

    logs = [(await operator.http.get(f"/v1/operator/jobs/{job_id}/{path}")).text for path in ("updates", "stream")]
    missing = [await operator.http.get(f"/v1/operator/jobs/{'u' * 32}/{path}") for path in ("updates", "stream")]

    assert all(PART in log for log in logs)
    assert [answer.status_code for answer in missing] == [404, 404]
    noted = (await told(operator, "audit"))["items"][::-1]
    assert [(each["act"], each["on"]) for each in noted] == [("read log", job_id), ("follow log", job_id)]


async def test_a_text_that_is_not_shown_cannot_be_confirmed_either(operator: Api, doors: Doors) -> None:
    """How long it is stays, its digest doesn't."""
    job_id = await told_all(doors, fails=False)

    part = (await told(operator, f"jobs/{job_id}"))["job"]["parts"]["openai"]

    assert (part["text"], part["sha256"], part["length"]) == ("", None, len(PART))


async def test_contents_are_those_of_the_job(operator: Api, doors: Doors) -> None:
    """Of one that has not begun, too."""
    waiting = (await doors.queue.submit(Submission(CHAT, {"message": "hello"}))).job_id

    assert await told(operator, f"jobs/{waiting}/contents") == {
        "input": {"message": "hello"},
        "result": None,
        "parts": {},
    }


async def test_jobs_are_found_by_kind_state_and_subject(operator: Api, doors: Doors) -> None:
    """Page by page; a list says what a job failed with, and nothing else of it."""
    mine = [await doors.submit(CHAT, subject="one") for _ in range(5)]
    theirs = await doors.submit(CHAT, subject="two")
    await doors.queue.cancel(theirs)

    first = await told(operator, "jobs", subject="one", limit=3)
    second = await told(operator, "jobs", subject="one", limit=3, cursor=first["next"])

    shown = [each["id"] for page in (first, second) for each in page["items"]]
    assert len(shown) == len(mine)
    assert set(shown) == set(mine)
    assert second["next"] is None
    assert await ids(operator, "jobs", state="cancelled") == [theirs]
    assert await ids(operator, "jobs", kind="copy-records") == []
    assert set(first["items"][0]).isdisjoint({"parts", "steps", "result", "input"})
    await done(operator, f"jobs/{mine[0]}/cancel")
    assert set(await ids(operator, "jobs", subject="one", state="queued")) == set(mine[1:])
