"""Events as a client sends them: what they start, when, for whom, and how often."""

import pytest

from jobs.connection import Client
from jobs.kinds import KINDS
from jobs.model import JsonObject
from tests.api import Api
from tests.jobs.doors import Doors
from tests.service.edge import browser
from tests.service.serving import Serving

UNKNOWN = "A" * 32


async def sent(caller: Api, **body: object) -> JsonObject:
    """What the service answers to the event."""
    answer = await caller.http.post("/v1/events", json={"name": "chat", "data": {"message": "Hello"}} | body)
    assert answer.status_code == 202, answer.text
    told: JsonObject = answer.json()
    return told


async def found(caller: Api, event_id: str) -> JsonObject:
    """What became of the event."""
    answer = await caller.http.get(f"/v1/events/{event_id}")
    assert answer.status_code == 200, answer.text
    told: JsonObject = answer.json()
    return told


async def test_an_event_starts_the_kind_of_its_name_and_can_be_followed(caller: Api, doors: Doors) -> None:
    """Its id leads to the job, whose state is told as it is at that time."""
    told = await sent(caller, priority=9, subject="one")

    (job_id,) = told["job_ids"]
    job = await caller.poll(job_id)
    assert (job["kind"], job["priority"], job["subject"]) == ("chat", 9, "one")
    followed = await found(caller, told["event_id"])
    assert (followed["name"], followed["dropped"]) == ("chat", False)
    assert followed["jobs"] == [{"id": job_id, "kind": "chat", "state": "queued"}]

    await doors.claim("worker", kinds=[KINDS["chat"]])
    assert (await found(caller, told["event_id"]))["jobs"][0]["state"] == "running"


@pytest.mark.parametrize("body", [{"name": "nobody-knows-it"}, {"data": {"message": ""}}, {"data": {"n": 1}}])
async def test_an_event_that_no_kind_takes_starts_nothing_and_is_kept_as_dropped(
    body: JsonObject, caller: Api, redis: Client
) -> None:
    """Whether its name or its data fits nobody."""
    told = await sent(caller, **body)

    assert told["job_ids"] == []
    followed = await found(caller, told["event_id"])
    assert (followed["dropped"], followed["jobs"]) == (True, [])
    assert await redis.zcard("js:queue") == 0


async def test_an_event_with_a_key_is_sent_once(caller: Api, redis: Client) -> None:
    """A repeat gets the same id and jobs; with other data it is refused."""
    first = await sent(caller, idempotency_key="k")

    assert await sent(caller, idempotency_key="k") == first

    assert await redis.zcard("js:queue") == 1
    other = {"name": "chat", "data": {"message": "Other"}, "idempotency_key": "k"}
    answer = await caller.http.post("/v1/events", json=other)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def test_an_event_may_be_due_later(caller: Api) -> None:
    """Its job is scheduled until then."""
    (job_id,) = (await sent(caller, delay=3600))["job_ids"]

    job = await caller.poll(job_id)

    assert job["state"] == "scheduled"
    assert job["run_at"] is not None


async def test_a_page_sends_events_for_its_own_subject_and_its_own_kinds(service: Serving, caller: Api) -> None:
    """What it may not submit it may not start by an event either; what others sent it does not see."""
    async with browser(service, "one", frozenset({"read", "submit:chat"})) as page:
        told = await sent(page)
        assert (await page.poll(told["job_ids"][0]))["subject"] == "one"
        foreign = await sent(caller, subject="two")
        assert (await page.http.get(f"/v1/events/{foreign['event_id']}")).status_code == 404
    async with browser(service, "one", frozenset({"read", "submit:other"})) as page:
        answer = await page.http.post("/v1/events", json={"name": "chat", "data": {"message": "Hello"}})
        assert answer.status_code == 403


@pytest.mark.parametrize("event_id", [UNKNOWN, "short", "x" * 65, "with%20space" + "x" * 20])
async def test_an_event_that_never_was_is_not_found(event_id: str, caller: Api) -> None:
    """Whether or not the id could have been one."""
    answer = await caller.http.get(f"/v1/events/{event_id}")

    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
