"""A job followed to its end, whatever happens to the connections."""

import json
from itertools import pairwise

import httpx2
import pytest

from jobstream.api import open_api
from jobstream.errors import RequestRefused, Unreachable
from jobstream.fold import JsonObject
from jobstream.stream import Update, follow
from tests.api import Api, comparable
from tests.jobstream.wires import cutting, refused, saying, stream
from tests.system import SECRET, System

LONG_PROMPT = "Tell me about harbours. " * 400  # its answer outlasts the cuts
JOB: JsonObject = {
    "id": "a-job",
    "run": 1,
    "seq": 1,
    "cursor": "1-1",
    "state": "running",
    "parts": {"p": {"text": "one"}},
    "steps": [],
}
END: JsonObject = {
    "state": "completed",
    "result": None,
    "error": None,
    "finished_at": "now",
    "expires_at": "later",
    "parts": {},
}
NOT_FOUND = {"type": "/problems/job-not-found", "title": "No such job", "status": 404, "detail": "It is gone."}
BUSY = {"type": "/problems/too-many-streams", "title": "Too many", "status": 429, "detail": "Come back later."}


def frame(event: str, data: object, cursor: str = "") -> str:
    place = f"id: {cursor}\n" if cursor else ""
    return f"{place}event: {event}\ndata: {json.dumps(data)}"


def words(text: str, *, at: int, cursor: str) -> str:
    return frame("delta", {"part": "p", "text": text, "at": at}, cursor)


SNAPSHOT = frame("snapshot", {**JOB, "reason": "initial"}, "1-1")
ENDED = frame("end", END, "9-9")


async def followed(url: str, job_id: str = "a-job", *, patience_seconds: float = 60) -> list[Update]:
    async with open_api(url, SECRET) as http:
        return [update async for update in follow(http, job_id, patience_seconds=patience_seconds)]


async def test_a_stream_that_is_cut_again_and_again_tells_every_update_once(system: System, api: Api) -> None:
    """Only a snapshot may leave some out; what was put together from the pieces is what polling returns."""
    job = await api.submit(LONG_PROMPT, input={"models": {"openai": "sandbox-slow"}})

    async with cutting(system.url, 2, 5, 1) as wire:
        updates = await followed(wire.url, job["id"])

    assert len(wire.requests) == 4
    for before, after in pairwise(updates):
        one_more = before.snapshot["seq"] + 1
        assert after.snapshot["seq"] == one_more or (after.event == "snapshot" and after.snapshot["seq"] > one_more)
    assert comparable(updates[-1].snapshot) == comparable(await api.poll(job["id"]))
    assert updates[-1].job.parts["openai"].proven is True


async def test_who_comes_after_the_end_is_told_the_whole_job(system: System, api: Api) -> None:
    job = await api.submit("Tell me about bridges.")
    await api.ended(job["id"])

    updates = await followed(system.url, job["id"])

    assert [update.event for update in updates] == ["snapshot", "end"]
    assert comparable(updates[-1].snapshot) == comparable(await api.poll(job["id"]))


async def test_a_job_that_never_was_is_refused_in_the_service_s_own_words(system: System) -> None:
    with pytest.raises(RequestRefused, match="No job has this id"):
        await followed(system.url, "no-job-has-this-id")


async def test_a_farewell_is_followed_by_the_next_stream_from_the_same_place() -> None:
    bye = frame("bye", {"reason": "shutdown"})
    async with saying(stream(SNAPSHOT, bye), stream(words("!", at=3, cursor="2-2"), ENDED)) as wire:
        updates = await followed(wire.url)

    assert wire.cursors == [None, "1-1"]
    assert updates[-1].snapshot["parts"]["p"]["text"] == "one!"


@pytest.mark.parametrize(
    "unfit", [words("!", at=4, cursor="3-3"), frame("ping", {"cursor": "2-2", "now": "now"})], ids=["words", "ping"]
)
async def test_an_update_that_was_missed_is_made_up_for_by_a_snapshot(unfit: str) -> None:
    async with saying(stream(SNAPSHOT, unfit), stream(SNAPSHOT, ENDED)) as wire:
        updates = await followed(wire.url)

    assert wire.cursors == [None, None]
    assert [update.event for update in updates] == ["snapshot", "snapshot", "end"]


@pytest.mark.parametrize(
    "busy", [refused("503 Service Unavailable", ""), stream(frame("problem", BUSY))], ids=["status", "event"]
)
async def test_a_service_that_is_busy_is_asked_again(busy: str) -> None:
    async with saying(stream(SNAPSHOT), busy, stream(ENDED)) as wire:
        updates = await followed(wire.url)

    assert wire.cursors == [None, "1-1", "1-1"]
    assert updates[-1].event == "end"


@pytest.mark.parametrize(
    "gone",
    [refused("404 Not Found", json.dumps(NOT_FOUND)), stream(frame("problem", NOT_FOUND))],
    ids=["status", "event"],
)
async def test_a_job_that_is_gone_is_not_asked_for_again(gone: str) -> None:
    async with saying(stream(SNAPSHOT), gone) as wire:
        with pytest.raises(RequestRefused, match=r"No such job: It is gone\."):
            await followed(wire.url)

    assert len(wire.requests) == 2


async def test_an_end_that_was_heard_before_is_the_end() -> None:
    """204 tells a listener who has it all to stay away."""
    async with saying(stream(SNAPSHOT), "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n") as wire:
        updates = await followed(wire.url)

    assert [update.event for update in updates] == ["snapshot"]


async def test_a_service_that_stays_away_is_given_up() -> None:
    async with saying(stream()) as wire:
        pass  # now nobody listens there

    with pytest.raises(Unreachable) as lost:
        await followed(wire.url, patience_seconds=0)

    assert isinstance(lost.value.__cause__, httpx2.ConnectError)
