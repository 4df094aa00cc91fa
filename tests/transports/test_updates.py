"""The log as JSON: page by page, held back while nothing follows, and honest about what is missing."""

import asyncio
from contextlib import aclosing
from functools import partial
from typing import Any

import httpx2
import pytest

from jobs.kinds.chat import CHAT
from jobs.model import JsonObject, State
from tests.api import Api
from tests.jobs.doors import Doors
from tests.jobs.patience import until
from tests.service.serving import Serving
from tests.transports.hand import take_in_hand
from tests.transports.logs import cursors, ended, overflow, submit, trim


async def ask(caller: Api, job_id: str, *, prefer: str = "", **params: Any) -> httpx2.Response:
    """The answer of the log."""
    headers = {"Prefer": prefer} if prefer else {}
    return await caller.http.get(f"/v1/jobs/{job_id}/updates", params=params, headers=headers)


async def page(caller: Api, job_id: str, **params: Any) -> JsonObject:
    """A page of the log."""
    response = await ask(caller, job_id, **params)
    assert response.status_code == 200, response.text
    body: JsonObject = response.json()
    return body


async def test_pages_follow_each_other_until_the_log_is_closed(caller: Api, doors: Doors) -> None:
    """Together they are what a stream says, each update with its id, its event and its data."""
    job_id = await submit(caller)
    async with aclosing(caller.listen(job_id)) as listening:
        first = (await anext(listening)).id
        hand = await take_in_hand(doors, job_id)
        await hand.write(hand.begin("openai"), *(hand.say("openai", f"{n} ") for n in range(9)))
        await hand.write(hand.end(State.COMPLETED))
        heard = [event async for event in listening]
    items: list[JsonObject] = []
    sizes, place, closed = [], "", False
    while not closed:
        body = await page(caller, job_id, after=place, limit=5)
        assert (sorted(body), body["reset"]) == (["closed", "cursor", "items", "reset"], False)
        assert body["cursor"] == body["items"][-1]["id"]
        items += body["items"]
        sizes.append(len(body["items"]))
        place, closed = body["cursor"], body["closed"]

    assert [(item["id"], item["event"], item["data"]) for item in items[1:]] == [
        (event.id, event.event, event.data) for event in heard
    ]
    assert (items[0]["id"], items[0]["event"], items[0]["data"]["state"]) == (first, "state", "queued")
    assert sizes == [5, 5, 3]


async def test_after_the_last_update_there_is_an_empty_page(caller: Api, doors: Doors) -> None:
    """Whose cursor is where it was asked from; it is closed once the job has ended, and not before."""
    job_id = await submit(caller)
    (place,) = await cursors(doors, job_id)
    going = await page(caller, job_id, after=place)
    hand = await take_in_hand(doors, job_id)
    await hand.write(hand.end(State.COMPLETED))
    *_, end = await cursors(doors, job_id)

    over = await page(caller, job_id, after=end)

    assert going == {"items": [], "cursor": place, "reset": False, "closed": False}
    assert over == {"items": [], "cursor": end, "reset": False, "closed": True}


async def test_what_is_missing_is_said(caller: Api, doors: Doors) -> None:
    """Ahead, of another job, another time with the same number, trimmed, or from the front of a log that has lost it:
    what comes begins with the oldest that is kept."""
    other = await submit(caller)
    (of_other,) = await cursors(doors, other)
    assert await doors.claim("other", kinds=[CHAT])
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    first, *_ = await cursors(doors, job_id)
    await overflow(hand)
    oldest, *_, last = await cursors(doors, job_id)
    us, seq = (int(number) for number in last.split("-"))

    for place in (f"{us}-{seq + 1}", of_other, f"{us - 1}-{seq}", "0-0", first, ""):
        body = await page(caller, job_id, after=place, limit=2)
        assert (body["reset"], body["items"][0]["id"], body["closed"]) == (True, oldest, False), place
    held = await page(caller, job_id, after=oldest, limit=1)
    assert (held["reset"], held["items"][0]["id"] > oldest) == (False, True)
    snapshot = await caller.poll(job_id)
    assert await page(caller, job_id, after=snapshot["cursor"]) == {
        "items": [], "cursor": last, "reset": False, "closed": False
    }  # fmt: skip


async def test_a_log_trimmed_down_to_its_end_goes_on_from_just_before_it(caller: Api, doors: Doors) -> None:
    job_id = await ended(caller, doors)
    *_, earlier, before_end, end = await cursors(doors, job_id)
    await trim(doors, job_id)

    answers = [await page(caller, job_id, after=place) for place in (before_end, end, earlier, "")]

    assert [[item["id"] for item in body["items"]] for body in answers] == [[end], [], [end], [end]]
    assert [body["reset"] for body in answers] == [False, False, True, True]
    assert all(body["closed"] for body in answers)


async def test_a_page_that_was_asked_to_wait_is_held_until_something_follows(
    service: Serving, caller: Api, doors: Doors
) -> None:
    """And a little longer, so that one answer carries what comes in a burst."""
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    *_, place = await cursors(doors, job_id)

    holding = asyncio.create_task(ask(caller, job_id, after=place, prefer="wait=20"))
    await until(partial(is_followed, service))
    for percent in (1, 2, 3):
        await hand.write(hand.progress(percent=percent))
    answer = await holding

    assert [item["data"] for item in answer.json()["items"]] == [{"percent": percent} for percent in (1, 2, 3)]
    assert answer.headers["preference-applied"] == "wait=20"
    assert answer.headers["cache-control"] == "no-store"


async def is_followed(service: Serving) -> bool:
    return service.parts.feed._hub.followed == 1


async def test_a_page_is_held_in_vain_for_as_long_as_was_asked(caller: Api, doors: Doors) -> None:
    """Then it is empty, and says where to go on."""
    job_id = await submit(caller)
    (place,) = await cursors(doors, job_id)

    answer = await ask(caller, job_id, after=place, prefer="wait=1")

    assert answer.json() == {"items": [], "cursor": place, "reset": False, "closed": False}
    assert answer.headers["preference-applied"] == "wait=1"


@pytest.mark.parametrize(("prefer", "applied"), [("wait=31", "wait=30"), ("wait=soon", None), ("", None)])
async def test_a_page_is_not_held_where_there_is_something_to_say(
    caller: Api, doors: Doors, prefer: str, applied: str | None
) -> None:
    """Nor where nothing will ever follow; the preference is honoured up to 30 seconds, or ignored."""
    job_id = await submit(caller)
    (place,) = await cursors(doors, job_id)
    hand = await take_in_hand(doors, job_id)

    behind = await ask(caller, job_id, after=place, prefer=prefer)
    await hand.write(hand.end(State.FAILED))
    over = await ask(caller, job_id, after=(await cursors(doors, job_id))[-1], prefer=prefer)

    assert [item["event"] for item in behind.json()["items"]] == ["state"]
    assert behind.headers.get("preference-applied") == applied
    assert (over.json()["items"], over.headers.get("preference-applied")) == ([], applied)


@pytest.mark.parametrize(
    ("params", "status", "slug"),
    [
        ({"after": "x"}, 400, "invalid-cursor"),
        ({"after": "m.AAAA"}, 400, "invalid-cursor"),
        ({"after": "1-1-1"}, 400, "invalid-cursor"),
        ({"limit": "0"}, 422, "invalid-input"),
        ({"limit": "1001"}, 422, "invalid-input"),
        ({"limit": "x"}, 422, "invalid-input"),
    ],
)
async def test_a_place_or_a_limit_that_is_none_is_refused(
    caller: Api, params: dict[str, str], status: int, slug: str
) -> None:
    response = await ask(caller, await submit(caller), **params)

    assert (response.status_code, response.json()["type"]) == (status, f"/problems/{slug}")


async def test_a_page_has_a_thousand_updates_at_most(caller: Api, doors: Doors) -> None:
    """Also where nobody said how many."""
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    await hand.write(*(hand.progress(percent=number % 100) for number in range(999)))

    first = await page(caller, job_id)
    second = await page(caller, job_id, after=first["cursor"])

    assert [len(body["items"]) for body in (first, second)] == [1000, 1]
