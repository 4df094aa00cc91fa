"""The stream of one job over server-sent events: what it is made of, and how it is asked for and refused."""

import httpx2
import pytest

from tests.api import Api, parsed
from tests.jobs.doors import Doors
from tests.service.edge import edge
from tests.service.serving import Serving
from tests.system import SECRET
from tests.transports.logs import cursors, ended, submit
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
    events = []
    for cursor in (await cursors(doors, job_id))[:-1]:
        response = await caller.http.get(f"/v1/jobs/{job_id}/stream?after={cursor}")
        retry, *blocks, rest = response.content.decode().split("\n\n")
        assert (retry, rest) == ("retry: 1000", "")
        for block in blocks:
            assert [line.partition(": ")[0] for line in block.splitlines()] == ["id", "event", "data"]
            events.append(block.splitlines()[1])

    assert {f"event: {name}" for name in ("snapshot", "part", "step", "progress", "delta", "end")} <= set(events)


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


async def test_whoever_has_heard_the_end_is_told_by_204_to_stay_away(caller: Api, doors: Doors) -> None:
    """For good: no other answer keeps an EventSource from coming back."""
    job_id = await ended(caller, doors)
    *_, end = await cursors(doors, job_id)
    path = f"/v1/jobs/{job_id}/stream"

    for method in ("GET", "HEAD"):
        for given in ({"headers": {"Last-Event-ID": end}}, {"params": {"after": end}}):
            response = await caller.http.request(method, path, **given)  # type: ignore[arg-type]  # as given
            assert (response.status_code, response.content) == (204, b"")


async def test_those_who_are_sent_away_together_come_back_at_different_times(store: ValkeyProcess) -> None:
    """Between one and ten seconds later, each as chance has it: the process that they went to stops."""
    async with edge(store.url) as going, Api(going.url, SECRET) as api:
        job_id = await submit(api)
        listening = [api.listen(job_id) for _ in range(10)]
        for events in listening:
            await anext(events)
        going.parts.feed.stop()
        waits = [[event async for event in events][-1].retry or 0 for events in listening]

    assert all(1000 <= wait <= 10000 for wait in waits)
    assert len(set(waits)) > 1


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


async def test_a_stream_that_is_sent_away_alone_may_come_back_at_once(store: ValkeyProcess) -> None:
    """Its credential may end soon; only those of a process that stops are spread over seconds."""
    async with edge(store.url, rotate_seconds=0.2) as service, Api(service.url, SECRET) as caller:
        job_id = await submit(caller)
        events = [event async for event in caller.listen(job_id)]

    assert (events[-1].event, events[-1].data) == ("bye", {"reason": "rotate"})
    assert events[-1].retry == 1000
