"""One stream over many jobs: what is said of each, who is on it, and when it ends."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import httpx2
import pytest

from jobs.kinds.chat import CHAT
from jobs.model import JobId, State
from service.limits import Allowance
from tests.api import Api, parsed
from tests.jobs.doors import Doors
from tests.service.edge import Edge, browser, edge, watcher
from tests.transports.hand import take_in_hand
from tests.transports.holding import Holding, hands_on, in_turn, polled
from tests.transports.logs import ended, submit, vanish
from tests.transports.subjects import listen_to_many
from tests.valkey import ValkeyProcess


async def test_after_each_update_of_many_jobs_their_folds_give_what_polling_returns(
    caller: Api, doors: Doors
) -> None:
    """On one connection, whichever of them moves on; it ends with the last of them, and then nothing more comes."""
    hands = await hands_on(caller, doors, 3)
    jobs, holding = list(hands), Holding()
    async with aclosing(listen_to_many(caller, jobs, None)) as listening:
        async for _ in in_turn(hands):
            true = await polled(caller, jobs)
            while holding.seen != true:
                holding.take(await anext(listening))
        assert [event async for event in listening] == []

    assert {view["state"] for view in holding.jobs.values()} <= {"completed", "failed"}
    assert await nothing_more(caller, jobs, holding.word)


async def nothing_more(caller: Api, jobs: list[str], word: str | None) -> bool:
    """Whether the stream tells a browser to stay away."""
    headers = {"Last-Event-ID": word or ""}
    head = await caller.http.head("/v1/stream", params={"job": jobs}, headers=headers)
    async with caller.http.stream("GET", "/v1/stream", params={"job": jobs}, headers=headers) as response:
        assert response.status_code == head.status_code
    return head.status_code == 204


async def test_whoever_is_cut_after_each_event_misses_nothing(caller: Api, doors: Doors) -> None:
    """A client that comes back each time with its last word ends with what polling returns."""
    hands = await hands_on(caller, doors, 4)
    jobs, holding = list(hands), Holding()
    writing = in_turn(hands)
    while not await nothing_more(caller, jobs, holding.word):
        await anext(writing, None)
        await holding.listen(caller, jobs, until=1)

    assert holding.seen == await polled(caller, jobs)


async def test_a_job_that_is_run_again_goes_on_while_others_do(caller: Api, doors: Doors) -> None:
    """One that has ended says nothing more until its next run, and all of that."""
    first = await ended(caller, doors, State.FAILED)
    other = await submit(caller)
    hand = await take_in_hand(doors, other)
    holding = Holding()
    async with aclosing(listen_to_many(caller, [first, other], None)) as listening:
        while holding.seen != await polled(caller, [first, other]):
            holding.take(await anext(listening))
        await caller.http.post(f"/v1/jobs/{first}/retry")
        again = await take_in_hand(doors, first, token="again")
        heard = [await anext(listening) for _ in range(2)]
        await again.write(again.end(State.COMPLETED))
        heard.append(await anext(listening))
        await hand.write(hand.end(State.COMPLETED))
        heard += [event async for event in listening]

    assert [(event.data["job"], event.event) for event in heard] == [
        (first, "state"), (first, "state"), (first, "end"), (other, "end")
    ]  # fmt: skip
    for event in heard:
        holding.take(event)
    assert holding.seen == await polled(caller, [first, other])


async def test_a_job_that_may_not_be_read_is_a_problem_of_its_own(service: Edge, caller: Api, doors: Doors) -> None:
    """With its name, and without an id; the others are read. Where none may be read, the request is refused."""
    foreign, unknown, odd = await submit(caller), "x" * 32, "no\nid: 1\n\nid"
    assert await doors.claim("foreign", kinds=[CHAT])
    job = await ended(caller, doors)
    async with watcher(service, job) as page:
        events = [event async for event in listen_to_many(page, [foreign, unknown, odd, job], None)]
        refused = await page.http.get("/v1/stream", params={"job": [foreign, unknown]})

    assert [event.event for event in events] == ["problem"] * 3 + ["snapshot", "end"]
    assert [event.data["job"] for event in events[:3]] == [foreign, unknown, odd]
    for event in events[:3]:
        assert (event.id, event.data["type"], event.data["status"]) == (None, "/problems/job-not-found", 404)
    assert (refused.status_code, refused.json()["type"]) == (404, "/problems/job-not-found")


async def test_each_job_that_is_deleted_is_a_problem_of_its_own(caller: Api, doors: Doors) -> None:
    """Also where they all go at once; the stream ends when nobody is left who has not ended."""
    jobs = [await submit(caller) for _ in range(4)]
    async with aclosing(listen_to_many(caller, jobs, None)) as listening:
        for _ in jobs:
            assert (await anext(listening)).event == "snapshot"
        await vanish(doors, jobs[0])
        first = await anext(listening)
        await vanish(doors, *jobs[1:])
        rest = [event async for event in listening]

    assert (first.event, first.id, first.data["job"]) == ("problem", None, jobs[0])
    assert sorted(event.data["job"] for event in rest) == sorted(jobs[1:])
    assert {(event.event, event.id, event.data["status"]) for event in rest} == {("problem", None, 404)}


@pytest.mark.parametrize("count", [0, 33])
async def test_a_stream_has_1_to_32_jobs(caller: Api, count: int) -> None:
    response = await caller.http.get("/v1/stream", params={"job": [f"{n:032}" for n in range(count)]})

    assert (response.status_code, response.json()["type"]) == (400, "/problems/invalid-request")


async def test_32_jobs_are_followed_on_one_stream_and_one_named_twice_is_one(caller: Api, doors: Doors) -> None:
    """And their word, which has 512 bytes at most, resumes all of them."""
    hands = await hands_on(caller, doors, 32)
    jobs, holding = list(hands), Holding()
    async with aclosing(listen_to_many(caller, [*jobs, jobs[0]], None)) as listening:
        while len(holding.jobs) < 32:
            holding.take(await anext(listening))
    for hand in hands.values():
        await hand.write(hand.end(State.COMPLETED))

    heard = await holding.listen(caller, jobs)

    assert sorted(event.data["job"] for event in heard) == sorted(jobs)
    assert {event.event for event in heard} == {"end"}
    assert len(holding.word or "") <= 512


async def test_a_stream_over_many_says_what_it_is_before_it_says_anything_else(caller: Api) -> None:
    """The headers of a stream, and when to come back; HEAD is those headers alone."""
    job = await submit(caller)
    async with caller.http.stream("GET", "/v1/stream", params={"job": job}) as response:
        first = await anext(response.aiter_bytes())
    limits = httpx2.Limits(max_connections=1)
    async with httpx2.AsyncClient(
        base_url=caller.http.base_url, headers=caller.http.headers, limits=limits, trust_env=False
    ) as one_connection:
        heads = [await one_connection.head("/v1/stream", params={"job": job}) for _ in range(2)]

    assert first.startswith(b"retry: 1000\n\n")
    for answer in (response, *heads):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store, no-transform"
        assert answer.headers["x-accel-buffering"] == "no"
    assert [head.content for head in heads] == [b"", b""]


async def test_a_stream_that_must_wait_is_bearable_for_an_event_source(store: ValkeyProcess, doors: Doors) -> None:
    """It is given 200, a time to come back by chance, the problem and a close; who wants the status is given that."""
    async with edge(store.url, allowance=Allowance(streams=0)) as full, browser(full, "one") as page:
        job = (await page.submit("written by hand"))["id"]
        only_stream = {"Accept": "text/event-stream"}
        async with opened(page, job, only_stream) as softened:
            (problem,) = [event async for event in parsed(softened.aiter_bytes())]
        refusals = []
        for headers in ({}, {**only_stream, "Prefer": "x, status"}, {"Accept": "text/event-stream, */*"}):
            async with opened(page, job, headers) as refused:
                refusals.append(refused.status_code)

    assert (softened.status_code, refusals) == (200, [429, 429, 429])
    assert (problem.event, problem.data["type"], problem.data["status"]) == (
        "problem",
        "/problems/too-many-streams",
        429,
    )
    assert 1000 <= (problem.retry or 0) <= 10000


@asynccontextmanager
async def opened(page: Api, job: str, headers: dict[str, str]) -> AsyncIterator[httpx2.Response]:
    async with page.http.stream("GET", "/v1/stream", params={"job": job}, headers=headers) as response:
        yield response


async def test_a_stream_with_many_tokens_ends_with_the_first_of_them(service: Edge, caller: Api) -> None:
    """`bye` comes five seconds before, and a fresh token goes on from the last word."""
    jobs = [await submit(caller) for _ in range(2)]
    keyring = service.parts.keyring
    tokens = [keyring.stream_token(JobId(job), seconds=each).token for job, each in zip(jobs, (600, 6), strict=True)]

    asked = {"job": jobs, "token": tokens}
    async with Api(service.url, None) as page, page.http.stream("GET", "/v1/stream", params=asked) as response:
        *_, bye = [event async for event in parsed(response.aiter_bytes())]

    assert (bye.event, bye.id, bye.data) == ("bye", None, {"reason": "unauthorized"})
    assert 1000 <= (bye.retry or 0) <= 10000
