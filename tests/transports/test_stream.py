"""The stream of one job over server-sent events: what it is made of, where it starts, and how it ends."""

from contextlib import aclosing

import httpx2
import pytest

from jobs import keys
from jobs.connection import Client
from jobs.kinds.chat import CHAT
from jobs.model import JobId, State
from tests.api import Api, Event, parsed
from tests.jobs.doors import Doors
from tests.service.serving import Serving, serving
from tests.system import SECRET
from tests.transports.hand import story, take_in_hand
from tests.transports.subjects import TERMINAL
from tests.valkey import ValkeyProcess

MALFORMED = (
    "x",
    "1",
    "-",
    "1-",
    "-1",
    "1-1-1",
    " 1-1",
    "1-1 ",
    "+1-1",
    "1.0-1",
    "0x1-1",
    "\u0661-1",
    "m.AAAA",
    "1-1\x00",
    "9" * 19 + "-1",
)
"""Words that no log gives out."""


async def submit(caller: Api) -> str:
    job_id: str = (await caller.submit("written by hand"))["id"]
    return job_id


async def ended(caller: Api, doors: Doors, state: State = State.COMPLETED) -> str:
    """A job whose whole story is written."""
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    for line in story(hand, state):
        await hand.write(line)
    return job_id


async def hear(caller: Api, job_id: str, after: str | None = None) -> list[Event]:
    """All that the stream says."""
    return [event async for event in caller.listen(job_id, after=after)]


async def cursors(doors: Doors, job_id: str) -> list[str]:
    """The cursor of every entry that the log holds."""
    return [cursor.decode() for cursor, _ in await doors.client.xrange(f"{keys.PREFIX}{job_id}:log")]


async def test_a_stream_says_what_it_is_before_it_says_anything_else(caller: Api) -> None:
    """Its headers keep caches and proxies away, and its first words are when to come back."""
    job_id = await submit(caller)

    async with caller.http.stream("GET", f"/v1/jobs/{job_id}/stream") as response:
        first = await anext(response.aiter_bytes())

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-store, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert first.startswith(b"retry: 1000\n\n")


async def test_every_update_is_three_lines_whatever_its_text(caller: Api, doors: Doors) -> None:
    """id, event and data, and no character at which any client would break a line."""
    job_id = await ended(caller, doors)
    cursor = (await cursors(doors, job_id))[0]

    response = await caller.http.get(f"/v1/jobs/{job_id}/stream?after={cursor}")

    retry, *blocks, rest = response.content.decode().split("\n\n")
    assert (retry, rest) == ("retry: 1000", "")
    for block in blocks:
        assert [line.partition(": ")[0] for line in block.splitlines()] == ["id", "event", "data"]


async def test_a_cursor_that_the_log_holds_is_followed_by_exactly_what_follows_it(caller: Api, doors: Doors) -> None:
    """From each place of a long answer, byte for byte what a listener heard who was there all the time."""
    job_id = await submit(caller)
    async with aclosing(caller.listen(job_id)) as listening:
        heard = [await anext(listening)]
        hand = await take_in_hand(doors, job_id)
        await hand.write(hand.begin("openai"), hand.say("openai", "long " * 2000))
        for line in [hand.begin("google"), *(hand.say("google", f"{n} ") for n in range(9)), hand.end(State.FAILED)]:
            await hand.write(line)
        heard += [event async for event in listening]

    for place in range(4, len(heard)):
        assert await hear(caller, job_id, heard[place - 1].id) == heard[place:]


async def test_a_snapshot_is_told_where_it_is_cheaper_than_what_follows(caller: Api, doors: Doors) -> None:
    """An answer that was begun over and over is told as it is now, and then all that follows."""
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    for _ in range(4):
        await hand.write(hand.begin("openai"), hand.say("openai", "again " * 400))
    await hand.write(hand.begin("openai"), hand.say("openai", "at last"))
    first, *_, last = await cursors(doors, job_id)

    async with aclosing(caller.listen(job_id, after=first)) as listening:
        told = await anext(listening)
        await hand.write(hand.say("openai", "!"))
        following = await anext(listening)

    assert (told.event, told.data["reason"], told.id) == ("snapshot", "slow", last)
    assert told.data["parts"]["openai"]["text"] == "at last"
    assert (following.event, following.data) == ("delta", {"part": "openai", "text": "!", "at": 7})


async def test_a_place_that_the_log_does_not_hold_is_answered_by_a_snapshot_that_says_so(
    caller: Api, doors: Doors
) -> None:
    """Ahead, of another job, another time with the same number, before the first, and trimmed."""
    other = await submit(caller)
    (of_other,) = await cursors(doors, other)
    assert await doors.claim("other", kinds=[CHAT])
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    first, *_ = await cursors(doors, job_id)
    for _ in range(6):
        await hand.write(*(hand.progress(percent=percent % 100) for percent in range(850)))
    *_, last = await cursors(doors, job_id)
    us, seq = (int(number) for number in last.split("-"))

    for place in (f"{us}-{seq + 1}", of_other, f"{us - 1}-{seq}", "0-0", first):
        told = [event async for event in caller.listen(job_id, after=place, take=1)]
        assert [(event.event, event.data["reason"], event.id) for event in told] == [("snapshot", "gap", last)], place


@pytest.mark.parametrize("malformed", MALFORMED)
async def test_a_word_that_is_no_cursor_is_refused(caller: Api, malformed: str) -> None:
    """In the URL and, where it can stand there, in the header, with a problem that does not repeat it."""
    job_id = await submit(caller)
    path = f"/v1/jobs/{job_id}/stream"

    refused = [await caller.http.get(path, params={"after": malformed})]
    if malformed.isprintable() and malformed == malformed.strip():
        refused.append(await caller.http.get(path, headers=[(b"Last-Event-ID", malformed.encode())]))

    for response in refused:
        assert (response.status_code, response.json()["type"]) == (400, "/problems/invalid-cursor")
        assert len(malformed) < 3 or malformed not in response.text


async def test_the_header_wins_over_the_url_and_an_empty_place_is_none(caller: Api, doors: Doors) -> None:
    """A browser repeats the old URL when it reconnects, and its header knows better."""
    job_id = await ended(caller, doors)
    first, *_, before_end, end = await cursors(doors, job_id)
    path = f"/v1/jobs/{job_id}/stream"

    async def events(after: str, header: str | None) -> list[str]:
        headers = {} if header is None else {"Last-Event-ID": header}
        async with caller.http.stream("GET", path, params={"after": after}, headers=headers) as response:
            return [event.event async for event in parsed(response.aiter_bytes())]

    assert await events(first, before_end) == ["end"]
    assert await events(first, end) == []
    assert await events(before_end, "") == ["end"]
    assert await events("", None) == ["snapshot", "end"]
    assert await events("", "") == ["snapshot", "end"]


@pytest.mark.parametrize("state", TERMINAL)
async def test_the_stream_of_an_ended_job_is_the_job_before_its_end_and_then_the_end(
    caller: Api, doors: Doors, state: str
) -> None:
    """Once, last; and who has heard it is told by 204 to stay away."""
    job_id = await ended(caller, doors, State(state))
    *_, before_end, end = await cursors(doors, job_id)

    told, last = await hear(caller, job_id)

    assert (told.event, told.id, told.data["reason"]) == ("snapshot", before_end, "initial")
    assert (told.data["state"], told.data["result"], told.data["finished_at"]) == ("running", None, None)
    assert (last.event, last.id, last.data["state"]) == ("end", end, state)
    for method in ("GET", "HEAD"):
        response = await caller.http.request(method, f"/v1/jobs/{job_id}/stream", headers={"Last-Event-ID": end})
        assert (response.status_code, response.content) == (204, b"")


async def test_every_way_into_an_ended_job_leads_to_its_one_end(caller: Api, doors: Doors) -> None:
    """From each place that was ever given out, and from places that never were, before and after it is trimmed."""
    job_id = await ended(caller, doors)
    places = [*(await cursors(doors, job_id))[:-1], "1-1", "999999999999999999-999", None]

    for _ in range(2):
        for place in places:
            heard = [event.event for event in await hear(caller, job_id, place)]
            assert (heard.count("end"), heard[-1]) == (1, "end")
        await doors.client.zadd(keys.TRIMS, {job_id: 0})
        await doors.log.trim_ended()


async def test_head_is_the_headers_alone(caller: Api) -> None:
    """At once, and the connection is free for the next request."""
    job_id = await submit(caller)
    path = f"/v1/jobs/{job_id}/stream"

    async with httpx2.AsyncClient(
        base_url=caller.http.base_url,
        headers=caller.http.headers,
        limits=httpx2.Limits(max_connections=1),
        trust_env=False,
    ) as one_connection:
        heads = [await one_connection.head(path) for _ in range(2)]
        polled = await one_connection.get(f"/v1/jobs/{job_id}")

    assert [head.headers["content-type"] for head in heads] == ["text/event-stream; charset=utf-8"] * 2
    assert polled.status_code == 200


async def test_silence_is_broken_by_pings_that_name_the_newest_cursor(
    store: ValkeyProcess, redis: Client, doors: Doors
) -> None:
    """They have no id, so that a browser's last place stays what it was."""
    async with serving(store.url, ping_seconds=0.1) as service, Api(service.url, SECRET) as caller:
        job_id = await submit(caller)
        async with aclosing(caller.listen(job_id)) as listening:
            heard = [await anext(listening) for _ in range(3)]
            await take_in_hand(doors, job_id)
            async for event in listening:
                heard.append(event)
                if event.event == "ping" and event.data["cursor"] != heard[0].id:
                    break

    newest = [event.id for event in heard if event.id]
    assert [event.event for event in heard if event.id] == ["snapshot", "state"]
    assert list(dict.fromkeys(event.data["cursor"] for event in heard if event.event == "ping")) == newest


async def test_a_job_deleted_under_a_stream_ends_it_with_a_problem(caller: Api, doors: Doors) -> None:
    """404, as any later request will be told."""
    job_id = await submit(caller)
    async with aclosing(caller.listen(job_id)) as listening:
        await anext(listening)
        await doors.client.delete(*await doors.client.keys(f"{keys.PREFIX}{job_id}:*"))
        await doors.client.publish(keys.channel(JobId(job_id)), b"")
        (problem,) = [event async for event in listening]

    assert (problem.event, problem.id) == ("problem", None)
    assert (problem.data["type"], problem.data["status"]) == ("/problems/job-not-found", 404)


async def test_a_stream_says_bye_before_its_credential_ends(caller: Api, service: Serving) -> None:
    """Five seconds early, so that the page can come back with a fresh token and its last cursor."""
    job_id = await submit(caller)
    token = service.parts.keyring.stream_token(JobId(job_id), seconds=7).token

    async with Api(service.url, token) as watcher:
        snapshot, bye = await hear(watcher, job_id)

    assert snapshot.event == "snapshot"
    assert (bye.event, bye.id, bye.data) == ("bye", None, {"reason": "unauthorized"})


async def test_a_refusal_before_the_stream_is_a_real_status(caller: Api, service: Serving) -> None:
    """Also for a caller that takes nothing but a stream: only what passes is softened."""
    job_id = await submit(caller)
    only_stream = {"Accept": "text/event-stream"}
    unknown = await caller.http.get("/v1/jobs/" + "x" * 32 + "/stream", headers=only_stream)
    malformed = await caller.http.get(f"/v1/jobs/{job_id}/stream?after=x", headers=only_stream)
    async with Api(service.url, "wrong") as stranger:
        refused = await stranger.http.get(f"/v1/jobs/{job_id}/stream", headers=only_stream)

    assert [response.status_code for response in (unknown, malformed, refused)] == [404, 400, 401]
    for response in (unknown, malformed, refused):
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["instance"] == response.headers["x-request-id"]
