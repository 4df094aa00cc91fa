"""Dead letters as a client handles them: found, counted, inspected, run again, dropped."""

from dataclasses import replace
from typing import Any

from jobs.connection import Client
from jobs.kinds import KINDS
from jobs.model import Failure, JobId, JsonObject, new_job_id
from tests.api import Api
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.service.edge import browser
from tests.service.serving import Serving

CHAT = KINDS["chat"]
TIRESOME = replace(CHAT, name="tiresome")


def why(code: str) -> Failure:
    """An error that ends a run."""
    return Failure(type=code, title="It failed", detail=f"because of {code}", retryable=False)


async def failed(doors: Doors, code: str = "provider-failed", *, kind: Any = CHAT, **more: Any) -> JobId:
    """A job that has just failed."""
    claim = await doors.running(kind, token=new_job_id(), **more)
    await doors.append(claim, lines.end("failed", failure=why(code)))
    return claim.job_id


async def items(caller: Api, query: str = "") -> list[JsonObject]:
    """What the list shows."""
    answer = await caller.http.get(f"/v1/dead-letters{query}")
    assert answer.status_code == 200, answer.text
    found: list[JsonObject] = answer.json()["items"]
    return found


async def test_only_what_failed_for_good_is_a_dead_letter(caller: Api, doors: Doors) -> None:
    """Newest first; what completed, was cancelled or goes on is none, and is not handled as one."""
    letters = [await failed(doors) for _ in range(3)]
    others = [await doors.submit(CHAT), (await doors.running(CHAT)).job_id]
    await doors.queue.cancel(others[0])

    assert [item["id"] for item in await items(caller)] == letters[::-1]
    for job_id in others:
        assert (await caller.http.get(f"/v1/dead-letters/{job_id}")).status_code == 404
        assert (await caller.http.post(f"/v1/dead-letters/{job_id}/retry")).status_code == 404
        assert (await caller.http.delete(f"/v1/dead-letters/{job_id}")).status_code == 404


async def test_a_list_goes_on_from_its_cursor_without_a_gap(caller: Api, doors: Doors) -> None:
    """Page by page it shows what it shows at once; letters that come meanwhile move nothing."""
    letters = [await failed(doors) for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await caller.http.get(f"/v1/dead-letters?limit=3{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
        await failed(doors)

    assert seen == letters[::-1]


async def test_letters_are_counted_by_kind_and_error(caller: Api, doors: Doors) -> None:
    """The most frequent first; a kind that is asked for hides the others."""
    for code, times in (("timeout", 1), ("provider-failed", 3)):
        for _ in range(times):
            await failed(doors, code)
    await failed(doors, "timeout", kind=TIRESOME)

    counted = {(each["kind"], each["error_type"]): each["count"] for each in await items(caller, "?group=error")}

    assert counted == {("chat", "provider-failed"): 3, ("chat", "timeout"): 1, ("tiresome", "timeout"): 1}
    assert next(iter(counted)) == ("chat", "provider-failed")
    (only,) = await items(caller, "?group=error&kind=tiresome")
    assert (only["kind"], only["count"]) == ("tiresome", 1)


async def test_a_letter_tells_what_it_was_given_and_how_each_attempt_failed(caller: Api, doors: Doors) -> None:
    """A try that was put off, a worker that was lost, and the error that ended it: also once its log is trimmed."""
    job_id = await doors.submit(CHAT)
    await doors.client.hset(f"js:{job_id}:job", "max_attempts", 3)  # type: ignore[misc]
    (claim,) = await doors.claim("first", kinds=[CHAT])
    await doors.leases.postpone(claim, delay_seconds=0, error=why("rate-limited"))
    await doors.fall_due(job_id)
    (claim,) = await doors.claim("second", kinds=[CHAT])
    await doors.lose(claim)
    (claim,) = await doors.claim("third", kinds=[CHAT])
    await doors.append(claim, lines.end("failed", failure=why("timeout")))
    await doors.client.zadd("js:trims", {job_id: 0})
    await doors.log.trim_ended()

    letter = (await caller.http.get(f"/v1/dead-letters/{job_id}")).json()

    assert (letter["id"], letter["state"], letter["error"]["type"]) == (job_id, "failed", "timeout")
    assert letter["input"] == {}
    told = [(each["attempt"], each["outcome"], (each["error"] or {}).get("type")) for each in letter["failures"]]
    assert told == [(1, "retrying", "rate-limited"), (2, "worker-lost", None), (2, "failed", "timeout")]


async def test_a_letter_that_is_run_again_is_none_any_more(caller: Api, doors: Doors) -> None:
    """Until it fails again; then it remembers both runs."""
    job_id = await failed(doors)

    answer = await caller.http.post(f"/v1/dead-letters/{job_id}/retry")
    assert (answer.status_code, answer.json()["state"], answer.json()["run"]) == (202, "queued", 2)
    assert await items(caller) == []
    assert (await caller.http.post(f"/v1/dead-letters/{job_id}/retry")).status_code == 404

    (claim,) = await doors.claim("again", kinds=[CHAT])
    await doors.append(claim, lines.end("failed", failure=why("timeout")))
    letter = (await caller.http.get(f"/v1/dead-letters/{job_id}")).json()
    assert [(each["run"], each["error"]["type"]) for each in letter["failures"]] == [
        (1, "provider-failed"),
        (2, "timeout"),
    ]


async def test_a_letter_that_is_dropped_is_gone_with_its_job(caller: Api, doors: Doors, redis: Client) -> None:
    """Nothing of it stays in the store."""
    job_id = await failed(doors)

    assert (await caller.http.delete(f"/v1/dead-letters/{job_id}")).status_code == 204

    assert await items(caller) == []
    assert (await caller.http.get(f"/v1/jobs/{job_id}")).status_code == 404
    assert [key async for key in redis.scan_iter(f"*{job_id}*")] == []


async def test_a_subject_sees_and_handles_its_own_letters_alone(service: Serving, caller: Api, doors: Doors) -> None:
    """Those of others are as if they never were."""
    own = await failed(doors, subject="one")
    foreign = await failed(doors, subject="two")

    async with browser(service, "one") as page:
        assert [item["id"] for item in await items(page)] == [own]
        assert (await page.http.get(f"/v1/dead-letters/{own}")).status_code == 200
        assert (await page.http.get(f"/v1/dead-letters/{foreign}")).status_code == 404
        assert (await page.http.post(f"/v1/dead-letters/{foreign}/retry")).status_code == 404
        assert (await page.http.delete(f"/v1/dead-letters/{foreign}")).status_code == 404
    assert {item["id"] for item in await items(caller)} == {own, foreign}


async def test_a_letter_is_kept_for_its_kinds_time_and_leaves_the_list_with_its_job(
    caller: Api, doors: Doors, redis: Client
) -> None:
    """The list shows nothing that has expired, and forgets it."""
    job_id = await failed(doors)
    kept_ms = await redis.pttl(f"js:{job_id}:job")
    assert 0 < kept_ms <= CHAT.failed_retention_seconds * 1000

    await redis.pexpire(f"js:{job_id}:job", 1)
    while await redis.exists(f"js:{job_id}:job"):
        pass

    assert await items(caller) == []
    assert (await caller.http.get(f"/v1/dead-letters/{job_id}")).status_code == 404
