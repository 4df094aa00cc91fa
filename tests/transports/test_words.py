"""The cursor of a stream over many jobs: what it holds, what it resumes, and what is none."""

import base64
import hashlib
from contextlib import aclosing
from dataclasses import replace

import pytest

from jobs.model import JobId, JsonObject, State
from jobs.updates import Cursor
from service.compound import Word
from tests.api import Api, Event, parsed
from tests.jobs.doors import Doors
from tests.transports.holding import Holding, hands_on, in_turn
from tests.transports.logs import cursors, ended, submit, trim
from tests.transports.subjects import listen_to_many

MALFORMED = (
    "x",
    "m",
    "m.x",
    "1-1",
    "M.AAAA",
    "m.AAA",
    "m.AAAAAAAAAAA",
    "m.AAAA AAAAAAAA",
    "m.AAAAAAAA+AAA",
    "m.AAAAAAAAAAA=",
    "m.AAAA\u00e9AAA",
    "m." + "_" * 16,
    "m." + "A" * 511,
)
"""Words that no stream over many jobs gives out."""


ODD = ("m.", "m." + base64.urlsafe_b64encode(b"none\x01none").decode().rstrip("="))
"""Words that have the form, and no mark of any job that is asked for."""


def marks_of(word: str) -> dict[bytes, tuple[int, bytes]]:
    """What the word holds, read as the protocol's page has it: by each job's tag its seq and its cursor's check."""
    form, _, body = word.partition(".")
    packed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    marks: dict[bytes, tuple[int, bytes]] = {}
    while packed:
        tag, packed = packed[:4], packed[4:]
        size = next(at for at, byte in enumerate(packed) if byte < 128) + 1
        seq = sum((byte & 127) << (7 * at) for at, byte in enumerate(packed[:size]))
        marks[tag], packed = (seq, packed[size : size + 4]), packed[size + 4 :]
    assert form == "m"
    return marks


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:4]


async def test_every_word_that_was_given_out_resumes_every_job(caller: Api, doors: Doors) -> None:
    """Also those given out before some job was heard of: that one, and no other, is begun with."""
    hands = await hands_on(caller, doors, 3)
    jobs, first = list(hands), Holding()
    writing = in_turn(hands)
    async with aclosing(listen_to_many(caller, jobs, None)) as listening:
        async for event in listening:
            first.take(event)
            await anext(writing, None)
    async for _ in writing:
        raise AssertionError("the stream ended before the jobs")

    for word, jobs_then in first.moments[:-1]:
        again = Holding(jobs_then)
        again.word = word
        heard = await again.listen(caller, jobs)
        assert again.seen == first.seen
        begun = {event.data["job"] for event in heard if event.data.get("reason") in ("initial", "gap")}
        assert begun == set(jobs) - set(jobs_then)
        ends = [event.data["job"] for event in heard if event.event == "end"]
        assert len(ends) == len(set(ends))


async def test_a_word_holds_a_tag_a_number_and_a_check_of_each_job(caller: Api, doors: Doors) -> None:
    """And each update names its job and its number, and is otherwise the single stream's."""
    job, other = await ended(caller, doors), await ended(caller, doors, State.FAILED)
    single = [without_elapsed(event) async for event in caller.listen(job)]

    events = [event async for event in listen_to_many(caller, [job, other], None)]

    word = events[-1].id or ""
    ends = {job: (await cursors(doors, job))[-1], other: (await cursors(doors, other))[-1]}
    assert marks_of(word) == {digest(name): (Cursor.parse(end).seq, digest(end)) for name, end in ends.items()}
    told_of_job = [without_elapsed(event) for event in events if event.data["job"] == job]
    for one, of_many in zip(single, told_of_job, strict=True):
        seq = Cursor.parse(one.id or "").seq
        assert of_many.event == one.event
        assert of_many.data == {"job": job, "seq": seq, **one.data}
        assert marks_of(of_many.id or "")[digest(job)] == (seq, digest(one.id or ""))


def without_elapsed(event: Event) -> Event:
    """What is said alike at any time."""
    return replace(event, data={name: event.data[name] for name in event.data if name != "elapsed"})


def test_a_word_of_32_jobs_has_512_bytes_at_most() -> None:
    """Also when each of them has a million updates."""
    places = {JobId(f"a-job-of-many-{n:018}"): Cursor(1_795_301_981_123_456, 1_000_000 + n) for n in range(32)}

    word = str(Word(places))

    assert len(word) <= 512
    assert len(marks_of(word)) == 32


@pytest.mark.parametrize("malformed", MALFORMED)
async def test_a_word_that_no_stream_over_many_gives_out_is_refused(caller: Api, malformed: str) -> None:
    """In the URL and in the header, with a problem that does not repeat it."""
    job = await submit(caller)
    given: list[JsonObject] = [
        {"params": {"job": job, "after": malformed}},
        {"params": {"job": job}, "headers": [(b"Last-Event-ID", malformed.encode())]},
    ]

    refused = [await caller.http.get("/v1/stream", **each) for each in given]

    for response in refused:
        assert (response.status_code, response.json()["type"]) == (400, "/problems/invalid-cursor")
        assert len(malformed) < 3 or malformed not in response.text


async def test_a_word_without_a_mark_of_a_job_begins_with_it(caller: Api, doors: Doors) -> None:
    """Jobs added to the list since get a snapshot, those that were taken off it are forgotten."""
    first, added = await ended(caller, doors), await ended(caller, doors)
    holding = Holding()
    await holding.listen(caller, [first])

    heard = await holding.listen(caller, [added, first])
    left = await holding.listen(caller, [added])
    odd = [[event.event async for event in listen_to_many(caller, [first], word)] for word in ODD]

    assert [(event.data["job"], event.event) for event in heard] == [(added, "snapshot"), (added, "end")]
    assert heard[0].data["reason"] == "initial"
    assert left == []
    assert odd == [["snapshot", "end"]] * 2


async def test_the_header_wins_over_the_url_and_an_empty_word_is_none(caller: Api, doors: Doors) -> None:
    """A browser repeats the old URL when it reconnects, and its header knows better."""
    job = await ended(caller, doors)
    *_, before_end, end = (str(Word({JobId(job): Cursor.parse(each)})) for each in await cursors(doors, job))

    async def events(after: str, header: str | None) -> list[str]:
        headers = {} if header is None else {"Last-Event-ID": header}
        params = {"job": job, "after": after}
        async with caller.http.stream("GET", "/v1/stream", params=params, headers=headers) as response:
            return [event.event async for event in parsed(response.aiter_bytes())]

    assert await events(end, before_end) == ["end"]
    assert await events(before_end, end) == []
    assert await events(before_end, "") == ["end"]
    assert await events("", None) == ["snapshot", "end"]


async def test_a_place_in_one_job_that_is_gone_costs_that_job_alone_a_snapshot(caller: Api, doors: Doors) -> None:
    """The others go on from where they were."""
    trimmed, kept = await ended(caller, doors), await ended(caller, doors)
    places = {JobId(job): Cursor.parse((await cursors(doors, job))[-4]) for job in (trimmed, kept)}
    await trim(doors, trimmed)

    events = [event async for event in listen_to_many(caller, [trimmed, kept], str(Word(places)))]

    of_trimmed = [(event.event, event.data.get("reason")) for event in events if event.data["job"] == trimmed]
    of_kept = [event.data["seq"] - places[JobId(kept)].seq for event in events if event.data["job"] == kept]
    assert of_trimmed == [("snapshot", "gap"), ("end", None)]
    assert of_kept == [1, 2, 3]
