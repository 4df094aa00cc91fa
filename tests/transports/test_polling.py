"""Polling one job: tags, answers that are held until something changes, and when to come again."""

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

import pytest
from httpx2 import Response

from jobs.model import State
from jobs.updates import Cursor, Entry
from service.feed import Gone, Item, Quiet
from service.transports.polling import until_changed
from tests.api import Api
from tests.jobs.doors import Doors
from tests.jobs.patience import until
from tests.service.hasty import run_hastily
from tests.service.serving import Serving
from tests.transports.hand import story, take_in_hand

PLACE = Cursor(1, 1)


async def submit(caller: Api) -> str:
    job_id: str = (await caller.submit("written by hand"))["id"]
    return job_id


async def poll(caller: Api, job_id: str, tag: str | None = None, prefer: str | None = None) -> Response:
    given = {"If-None-Match": tag, "Prefer": prefer}
    return await caller.http.get(
        f"/v1/jobs/{job_id}", headers={name: value for name, value in given.items() if value}
    )


async def test_the_tag_is_weak_and_changes_with_every_update(caller: Api, doors: Doors) -> None:
    """It holds the cursor; with the current one there is nothing to send."""
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    tags = []
    for line in story(hand):
        polled = await poll(caller, job_id)
        same = await poll(caller, job_id, polled.headers["etag"])
        assert polled.headers["etag"] == f'W/"{polled.json()["cursor"]}"'
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", polled.headers["etag"])
        tags.append(polled.headers["etag"])
        await hand.write(line)

    assert len(set(tags)) == len(tags)
    assert (await poll(caller, job_id, tags[-1])).status_code == 200


async def test_a_tag_is_found_however_it_is_sent(caller: Api) -> None:
    """Strong or weak, among others, or as `*`; what is no tag of this version is none."""
    job_id = await submit(caller)
    tag = (await poll(caller, job_id)).headers["etag"]
    strong = tag.removeprefix("W/")

    current = [tag, strong, f'"old", {tag}', f'W/"1-1", {tag}, "x"', f'"x" ,{tag}', "*"]
    others = ['"1-1"', "1-1", strong.strip('"'), '""', "W/", "nonsense"]

    assert [(await poll(caller, job_id, each)).status_code for each in current] == [304] * len(current)
    assert [(await poll(caller, job_id, each)).status_code for each in others] == [200] * len(others)


async def test_a_job_that_goes_on_says_when_to_come_again(caller: Api, doors: Doors) -> None:
    """After two seconds, with and without news; an ended one says nothing of the kind."""
    job_id = await submit(caller)
    going = await poll(caller, job_id)
    unchanged = await poll(caller, job_id, going.headers["etag"])
    hand = await take_in_hand(doors, job_id)
    await hand.write(hand.end(State.COMPLETED))

    ended = await poll(caller, job_id)

    assert (going.headers["retry-after"], unchanged.headers["retry-after"]) == ("2", "2")
    assert "retry-after" not in ended.headers


async def test_an_answer_that_was_asked_to_wait_is_held_until_something_changes(
    service: Serving, caller: Api, doors: Doors
) -> None:
    """And a little longer, so that one answer carries what comes in a burst."""
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    tag = (await poll(caller, job_id)).headers["etag"]

    holding = asyncio.create_task(poll(caller, job_id, tag, "wait=20"))
    await until(partial(is_followed, service))
    for percent in (1, 2, 3):
        await hand.write(hand.progress(percent=percent))
    answer = await holding

    assert answer.status_code == 200
    assert answer.json()["progress"] == {"percent": 3}
    assert answer.headers["preference-applied"] == "wait=20"


async def test_an_answer_that_was_held_in_vain_is_304(caller: Api) -> None:
    """With the preference that was honoured."""
    job_id = await submit(caller)
    tag = (await poll(caller, job_id)).headers["etag"]

    answer = await poll(caller, job_id, tag, "wait=1")

    assert (answer.status_code, answer.headers["preference-applied"]) == (304, "wait=1")


async def is_followed(service: Serving) -> bool:
    return service.parts.feed._hub.followed == 1


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("wait=5", "5"),
        ("wait=30", "30"),
        ("wait=31", "30"),
        ("wait=99999999999999999999", "30"),
        ('respond-async, Wait = "7"; x=y', "7"),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait=", None),
        ("wait", None),
        ("wait=1s", None),
        ("waits=1", None),
        (", ;=,", None),
    ],
)
async def test_a_preference_is_honoured_up_to_30_seconds_or_ignored(
    caller: Api, doors: Doors, prefer: str, applied: str | None
) -> None:
    """The answer says for how long it would have waited; an ended job is never held."""
    job_id = await submit(caller)
    await caller.http.post(f"/v1/jobs/{job_id}/cancel")
    tag = (await poll(caller, job_id)).headers["etag"]

    answer = await poll(caller, job_id, tag, prefer)

    assert answer.status_code == 304
    assert answer.headers.get("preference-applied") == (applied and f"wait={applied}")


async def test_a_preference_is_found_on_a_line_of_its_own(caller: Api) -> None:
    """A header may be sent in several lines."""
    job_id = await submit(caller)

    answer = await caller.http.get(f"/v1/jobs/{job_id}", headers=[("Prefer", "x"), ("Prefer", "wait=1")])

    assert answer.headers["preference-applied"] == "wait=1"


def entry(event: str) -> list[Entry]:
    return [Entry.at(PLACE, event, 1, b"{}")]


@pytest.mark.parametrize(
    ("script", "held"),
    [
        ([], 9.0),
        ([(2.0, entry("delta"))], 2.5),
        ([(2.0, entry("delta")), (2.4, entry("delta")), (2.6, entry("delta"))], 2.5),
        ([(2.0, entry("end"))], 2.0),
        ([(2.0, entry("delta")), (2.2, entry("end"))], 2.2),
        ([(2.0, Gone())], 2.0),
        ([(2.0, Quiet(PLACE)), (5.0, entry("delta"))], 5.5),
        ([(8.8, entry("delta"))], 9.0),
    ],
    ids=["nothing", "a change", "a burst", "the end", "a change and the end", "gone", "a ping", "a late change"],
)
def test_an_answer_is_held_half_a_second_after_the_first_change_or_until_the_end(
    script: list[tuple[float, Item]], held: float
) -> None:
    """But never longer than was asked for."""

    async def follow() -> AsyncGenerator[Item, None]:
        for moment, item in script:
            await asyncio.sleep(moment - asyncio.get_running_loop().time())
            yield item
        await asyncio.sleep(60)

    async def hold() -> float:
        await until_changed(follow(), 9.0)
        return asyncio.get_running_loop().time()

    assert run_hastily(hold()) == pytest.approx(held)
