"""What holds for every stream: where it starts, what breaks its silence, and what is said before it ends."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from jobs.kinds.chat import CHAT
from jobs.model import JobId, State
from tests.api import Api, Event
from tests.jobs.doors import Doors
from tests.service.edge import KEYRING, Edge, edge
from tests.system import SECRET
from tests.transports.hand import take_in_hand
from tests.transports.logs import cursors, ended, overflow, submit, trim, vanish
from tests.transports.reference import told
from tests.transports.subjects import STREAMS, TERMINAL, Stream
from tests.valkey import ValkeyProcess

pytestmark = pytest.mark.parametrize("stream", STREAMS, ids=[stream.name for stream in STREAMS])


async def hear(stream: Stream, caller: Api, job_id: str, after: str | None = None) -> list[Event]:
    """All that is said after the job's cursor."""
    place = after and stream.place(job_id, after)
    return [event async for event in stream.listen(caller, job_id, place)]


async def first_said(stream: Stream, caller: Api, job_id: str, after: str | None = None) -> Event:
    """What the stream begins with."""
    async with aclosing(stream.listen(caller, job_id, after and stream.place(job_id, after))) as listening:
        return await anext(listening)


async def next_of(listening: AsyncIterator[Event], name: str) -> Event:
    """The next event of the name: a connection of many jobs may ping before it has told of any."""
    return await anext(event async for event in listening if event.event == name)


async def test_a_cursor_that_the_log_holds_is_followed_by_exactly_what_follows_it(
    stream: Stream, caller: Api, doors: Doors
) -> None:
    """From each place of a long answer, what a listener heard who was there all the time."""
    job_id = await submit(caller)
    async with aclosing(stream.listen(caller, job_id, None)) as listening:
        heard = [await anext(listening)]
        hand = await take_in_hand(doors, job_id)
        await hand.write(hand.begin("openai"), hand.say("openai", "long " * 2000))
        for line in [hand.begin("google"), *(hand.say("google", f"{n} ") for n in range(9)), hand.end(State.FAILED)]:
            await hand.write(line)
        heard += [event async for event in listening]

    for at, cursor in enumerate(await cursors(doors, job_id)):
        assert heard[at].id == stream.place(job_id, cursor)
        if 3 <= at < len(heard) - 1:
            assert await hear(stream, caller, job_id, cursor) == heard[at + 1 :]


async def test_updates_that_are_written_together_are_never_merged(stream: Stream, caller: Api, doors: Doors) -> None:
    """Each is told by itself, with a cursor of its own."""
    job_id = await submit(caller)
    async with aclosing(stream.listen(caller, job_id, None)) as listening:
        await anext(listening)
        hand = await take_in_hand(doors, job_id)
        await hand.write(hand.begin("openai"), *(hand.say("openai", letter) for letter in "abc"))
        heard = [await anext(listening) for _ in range(5)]

    assert [event.event for event in heard] == ["state", "part", "delta", "delta", "delta"]
    assert [event.data["text"] for event in heard[2:]] == ["a", "b", "c"]
    _, *places = [stream.place(job_id, cursor) for cursor in await cursors(doors, job_id)]
    assert [event.id for event in heard] == places


async def test_a_snapshot_is_told_where_it_is_cheaper_than_what_follows(
    stream: Stream, caller: Api, doors: Doors
) -> None:
    """An answer that was begun over and over is told as it is now, and then all that follows."""
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    for _ in range(4):
        await hand.write(hand.begin("openai"), hand.say("openai", "again " * 400))
    await hand.write(hand.begin("openai"), hand.say("openai", "at last"))
    first, *_, last = await cursors(doors, job_id)

    async with aclosing(stream.listen(caller, job_id, stream.place(job_id, first))) as listening:
        told = await anext(listening)
        await hand.write(hand.say("openai", "!"))
        following = await anext(listening)

    assert (told.event, told.data["reason"], told.id) == ("snapshot", "slow", stream.place(job_id, last))
    assert told.data["parts"]["openai"]["text"] == "at last"
    assert (following.event, following.data) == ("delta", {"part": "openai", "text": "!", "at": 7})


async def test_a_place_that_the_log_does_not_hold_is_answered_by_a_snapshot_that_says_so(
    stream: Stream, caller: Api, doors: Doors
) -> None:
    """Ahead, of another job, another time with the same number, before the first, and trimmed."""
    other = await submit(caller)
    (of_other,) = await cursors(doors, other)
    assert await doors.claim("other", kinds=[CHAT])
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    first, *_ = await cursors(doors, job_id)
    await overflow(hand)
    *_, last = await cursors(doors, job_id)
    us, seq = (int(number) for number in last.split("-"))

    for place in (f"{us}-{seq + 1}", of_other, f"{us - 1}-{seq}", "0-0", first):
        told = await first_said(stream, caller, job_id, place)
        assert (told.event, told.data["reason"], told.id) == ("snapshot", "gap", stream.place(job_id, last)), place


async def test_whoever_is_new_is_given_the_whole(stream: Stream, caller: Api) -> None:
    """As one snapshot, of which the stream's cursor is the snapshot's."""
    job_id = await submit(caller)

    told = await first_said(stream, caller, job_id)

    assert (told.event, told.data["reason"]) == ("snapshot", "initial")
    assert told.id == stream.place(job_id, told.data["cursor"])
    assert {"elapsed", "links"} < told.data.keys()


@pytest.mark.parametrize("state", TERMINAL)
async def test_the_stream_of_an_ended_job_is_the_job_before_its_end_and_then_the_end(
    stream: Stream, caller: Api, doors: Doors, state: str
) -> None:
    """Once, last; and who has heard it is told nothing more."""
    job_id = await ended(caller, doors, State(state))
    *_, before_end, end = await cursors(doors, job_id)

    told, last = await hear(stream, caller, job_id)

    assert (told.event, told.id, told.data["reason"]) == ("snapshot", stream.place(job_id, before_end), "initial")
    assert (told.data["state"], told.data["result"], told.data["finished_at"]) == ("running", None, None)
    assert (last.event, last.id, last.data["state"]) == ("end", stream.place(job_id, end), state)
    assert await hear(stream, caller, job_id, end) == []


async def test_every_way_into_an_ended_job_leads_to_its_one_end(stream: Stream, caller: Api, doors: Doors) -> None:
    """From each place that was ever given out, and from places that never were, before and after it is trimmed."""
    job_id = await ended(caller, doors)
    places = [*(await cursors(doors, job_id))[:-1], "1-1", "999999999999999999-999", None]

    for _ in range(2):
        for place in places:
            heard = [event.event for event in await hear(stream, caller, job_id, place)]
            assert (heard.count("end"), heard[-1]) == (1, "end")
        await trim(doors, job_id)


async def test_a_retry_is_followed_from_the_cursor_of_its_answer(stream: Stream, caller: Api, doors: Doors) -> None:
    """And from the end of the run before it, by one more update."""
    job_id = await ended(caller, doors, State.FAILED)
    *_, end = await cursors(doors, job_id)
    answer = await caller.http.post(f"/v1/jobs/{job_id}/retry")
    hand = await take_in_hand(doors, job_id, token="again")
    await hand.write(hand.end(State.COMPLETED))

    heard = await hear(stream, caller, job_id, answer.json()["cursor"])

    assert [event.event for event in heard] == ["state", "end"]
    assert [event.data["state"] for event in heard] == ["running", "completed"]
    queued, *later = await hear(stream, caller, job_id, end)
    assert (queued.data["state"], queued.data["run"], later) == ("queued", 2, heard)


async def test_a_job_deleted_under_a_stream_ends_it_with_a_problem(stream: Stream, caller: Api, doors: Doors) -> None:
    """404, as any later request will be told."""
    job_id = await submit(caller)
    async with aclosing(stream.listen(caller, job_id, None)) as listening:
        await anext(listening)
        await vanish(doors, job_id)
        (problem,) = [event async for event in listening]

    assert (problem.event, problem.id) == ("problem", None)
    assert (problem.data["type"], problem.data["status"]) == ("/problems/job-not-found", 404)


async def test_silence_is_broken_by_pings_that_name_the_newest_cursor(
    stream: Stream, store: ValkeyProcess, doors: Doors
) -> None:
    """They have no id, so that a browser's last place stays what it was."""
    async with own_edge(store, jobstream_ping_seconds=0.1) as caller:
        job_id = await submit(caller)
        async with aclosing(stream.listen(caller, job_id, None)) as listening:
            heard = [await next_of(listening, "snapshot"), await next_of(listening, "ping")]
            await take_in_hand(doors, job_id)
            async for event in listening:
                heard.append(event)
                if event.event == "ping" and event.data["cursor"] != heard[0].id:
                    break

    newest = [event.id for event in heard if event.id]
    assert [event.event for event in heard if event.id] == ["snapshot", "state"]
    assert list(dict.fromkeys(event.data["cursor"] for event in heard if event.event == "ping")) == newest
    assert all(event.data["now"].endswith("Z") for event in heard if event.event == "ping")


async def test_a_stream_is_ended_at_a_great_age_and_goes_on_where_it_was(
    stream: Stream, store: ValkeyProcess, doors: Doors
) -> None:
    """`bye` says so; the listener comes back with its last cursor, as often as it must, and misses nothing."""
    async with own_edge(store, rotate_seconds=0.3) as caller:
        job_id = await submit(caller)
        *_, bye = await hear(stream, caller, job_id)
        hand = await take_in_hand(doors, job_id)
        held = None
        while held is None or held["state"] not in TERMINAL:
            async for view in stream.follow(caller, job_id, held):
                held = view
            if held and held["state"] == "running":
                await hand.write(hand.end(State.COMPLETED))
        polled = told(await caller.poll(job_id))

    assert (bye.event, bye.id, bye.data) == ("bye", None, {"reason": "rotate"})
    assert stream.seen(held) == stream.seen(polled)


async def test_a_stream_says_bye_before_its_credential_ends(stream: Stream, service: Edge, caller: Api) -> None:
    """Five seconds early, so that the page can come back with a fresh token and its last cursor."""
    job_id = await submit(caller)
    token = KEYRING.stream_token(JobId(job_id), seconds=6).token

    async with Api(service.url, token) as watcher:
        *_, bye = await hear(stream, watcher, job_id)

    assert (bye.event, bye.id, bye.data) == ("bye", None, {"reason": "unauthorized"})


async def test_a_server_that_stops_says_bye_and_nothing_after_it(
    stream: Stream, store: ValkeyProcess, doors: Doors
) -> None:
    """Another one goes on from the last cursor."""
    async with edge(store.url) as going, Api(going.url, SECRET) as caller:
        job_id = await submit(caller)
        async with aclosing(stream.listen(caller, job_id, None)) as listening:
            snapshot = await anext(listening)
            going.parts.feed.stop()
            (bye,) = [event async for event in listening]
    hand = await take_in_hand(doors, job_id)
    await hand.write(hand.end(State.COMPLETED))
    async with own_edge(store) as caller:
        rest = [event.event async for event in stream.listen(caller, job_id, snapshot.id)]

    assert (bye.event, bye.id, bye.data) == ("bye", None, {"reason": "shutdown"})
    assert rest == ["state", "end"]


@asynccontextmanager
async def own_edge(store: ValkeyProcess, **settings: Any) -> AsyncIterator[Api]:
    """Who asks a service with other settings."""
    async with edge(store.url, **settings) as service, Api(service.url, SECRET) as caller:
        yield caller
