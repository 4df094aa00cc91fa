"""A job watched to its end, whatever happens to the connections; each form of the client alike."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import pairwise

import httpx2
import pytest

from jobs.model import State
from jobstream.client import AsyncClient, Job, JobFailed, NotFound, Pace, TimedOut, Unauthorized, Unreachable
from tests.api import Api, comparable
from tests.client.conftest import SUBJECT
from tests.client.forms import OpenClient
from tests.client.proxy import Proxy, open_proxy
from tests.client.samples import (
    BUSY,
    DENIED,
    ENDED,
    NOT_FOUND,
    SNAPSHOT,
    a_job,
    finished,
    frame,
    words,
)
from tests.client.wires import answered, cutting, hanging, saying, stream
from tests.jobs.patience import until
from tests.service.edge import KEYRING
from tests.service.serving import Serving
from tests.system import SECRET, System
from tests.transports.hand import Hand

LONG_PROMPT = "Tell me about harbours. " * 400  # its answer outlasts the cuts
MOST_WORDS = 3000
HASTY = Pace(back_off=0.01, back_off_most=0.05)
NO_CONTENT = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
MISSED = [
    words("!", at=4, cursor="3-3"),
    frame("ping", {"cursor": "2-2", "now": "now"}),
    "id: 2-2\nevent: delta\ndata: {",
    frame("delta", {"part": "nobody", "text": "!", "at": 0}, "2-2"),
    finished("two", cursor="2-2"),
]


async def watched(open_client: OpenClient, url: str, job: Job | str = "a-job", **more: float) -> list[Job]:
    async with open_client(url, SECRET, pace=HASTY) as client:
        return [state async for state in client.watch(job, **more)]


async def test_a_stream_that_is_cut_again_and_again_tells_every_update_once(
    open_client: OpenClient, system: System, api: Api
) -> None:
    """What was put together from the pieces is what polling returns, and its texts are proven."""
    job = await api.submit(LONG_PROMPT, input={"models": {"openai": "sandbox-slow"}})

    async with cutting(system.url, 2, 5, 1) as wire:
        states = await watched(open_client, wire.url, job["id"])

    assert len(wire.requests) == 4
    assert all(before.seq < after.seq for before, after in pairwise(states))
    assert comparable({**states[-1].snapshot}) == comparable(await api.poll(job["id"]))
    assert states[-1].parts["openai"].verified is True


async def test_a_job_just_submitted_is_watched_from_its_place_on(client: AsyncClient) -> None:
    """No update is missed between the answer and the watch, and none is told by a second snapshot."""
    job = await client.submit("chat", {"message": "Tell me about quays."})

    states = [state async for state in client.watch(job)]

    assert [state.seq for state in states] == list(range(job.seq + 1, states[-1].seq + 1))
    assert states[-1].state == "completed"


async def test_who_comes_after_the_end_is_told_the_whole_job(client: AsyncClient, api: Api) -> None:
    job = await api.submit("Tell me about bridges.")
    await api.ended(job["id"])

    states = [state async for state in client.watch(job["id"])]

    assert [state.ended for state in states] == [False, True]
    assert comparable({**states[-1].snapshot}) == comparable(await api.poll(job["id"]))


async def test_a_job_that_is_run_again_is_watched_from_there(client: AsyncClient) -> None:
    """The end of the run before is not told again."""
    job = await client.submit("chat", {"message": "Hello", "models": {"openai": "sandbox-400"}})
    with pytest.raises(JobFailed) as failed:
        await client.result(job)

    again = await client.retry(job.id)

    states = [state async for state in client.watch(again)]
    assert failed.value.job.state == "failed"
    assert {state.run for state in states} == {2}
    assert states[-1].state == "failed"


async def test_a_job_that_has_ended_is_told_once_as_it_is_held(client: AsyncClient) -> None:
    job = await client.submit("chat", {"message": "Hello"}, wait=30)
    assert job.ended

    assert [state async for state in client.watch(job)] == [job]
    assert (await client.result(job))["openai"]["ok"]


async def test_a_job_out_of_a_list_is_watched_from_its_beginning(client: AsyncClient) -> None:
    """What the list left out is missing to fold with."""
    job = await client.submit("chat", {"message": "Hello"})
    (listed,) = (await client.jobs.list(limit=1)).items

    *_, last = [state async for state in client.watch(listed)]

    assert last.id == job.id
    assert {part.verified for part in last.parts.values()} == {True}


async def test_a_job_that_never_was_is_refused_in_the_service_s_own_words(client: AsyncClient) -> None:
    with pytest.raises(NotFound, match="No job has this id") as refusal:
        await anext(client.watch("no-job-has-this-id"))

    assert refusal.value.status == 404


async def test_when_the_time_is_over_nothing_is_lost(client: AsyncClient, api: Api) -> None:
    """The watch ends by itself in the middle of silence; the next one goes on where it was."""
    job = await client.submit("chat", {"message": "Hello"}, delay=3600)

    with pytest.raises(TimedOut):
        await client.result(job, timeout=0.5)

    assert (await api.poll(job.id))["state"] == "scheduled"
    await client.cancel(job.id)
    assert [state.state async for state in client.watch(job)] == ["cancelled"]


async def test_a_time_that_ends_in_the_middle_of_words_loses_none(
    open_client: OpenClient, service: Serving, hand: Hand
) -> None:
    """Updates that never stop don't keep the watch from ending; the next one goes on with the very next of them."""
    await hand.write(hand.say("openai", "long " * 40_000))  # so that no snapshot is cheaper than what follows
    enough = asyncio.Event()
    async with open_client(service.url, SECRET) as client, asyncio.TaskGroup() as tasks:
        states = [await anext(client.watch(hand.claim.job_id))]
        writing = tasks.create_task(write_until(enough, hand))
        with pytest.raises(TimedOut):
            await gather(states, client.watch(states[-1], timeout=0.7))
        enough.set()
        await writing
        await gather(states, client.watch(states[-1]))

    assert [state.seq for state in states] == list(range(states[0].seq, states[-1].seq + 1))


async def test_who_leaves_leaves_in_order(client: AsyncClient) -> None:
    job = await client.submit("chat", {"message": LONG_PROMPT})

    async with aclosing(client.watch(job)) as states:
        first = await anext(states)

    assert not first.ended
    assert (await client.cancel(job.id)).state in {"cancelling", "cancelled", "completed"}


async def test_a_farewell_is_followed_by_the_next_stream_from_the_same_place(open_client: OpenClient) -> None:
    bye = frame("bye", {"reason": "shutdown"})
    async with saying(stream(SNAPSHOT, bye), stream(words("!", at=3, cursor="2-2"), ENDED)) as wire:
        states = await watched(open_client, wire.url)

    assert wire.cursors == [None, "1-1"]
    assert states[-1].parts["p"].text == "one!"


@pytest.mark.parametrize("unfit", MISSED, ids=["words", "ping", "no JSON", "no such part", "another text"])
async def test_an_update_that_was_missed_is_made_up_for_by_a_snapshot(open_client: OpenClient, unfit: str) -> None:
    async with saying(stream(SNAPSHOT, unfit), stream(SNAPSHOT, ENDED)) as wire:
        states = await watched(open_client, wire.url)

    assert wire.cursors == [None, None]
    assert [state.seq for state in states] == [1, 1, 2]


async def test_a_text_that_stays_another_one_is_told_as_such(open_client: OpenClient) -> None:
    """It is asked for once more, and then its reader decides."""
    wrong = stream(SNAPSHOT, finished("two", cursor="2-2"), ENDED)
    async with saying(wrong) as wire:
        states = await watched(open_client, wire.url)

    assert len(wire.requests) == 2
    assert [state.parts["p"].verified for state in states] == [None, None, False, False]


@pytest.mark.parametrize(
    "busy",
    [answered("429 Too Many Requests", json.dumps(BUSY)), stream(frame("problem", BUSY))],
    ids=["status", "event"],
)
async def test_a_service_that_is_busy_is_asked_again(open_client: OpenClient, busy: str) -> None:
    async with saying(stream(SNAPSHOT), busy, stream(ENDED)) as wire:
        states = await watched(open_client, wire.url)

    assert wire.cursors == [None, "1-1", "1-1"]
    assert states[-1].ended


@pytest.mark.parametrize(
    "gone",
    [answered("404 Not Found", json.dumps(NOT_FOUND)), stream(frame("problem", NOT_FOUND))],
    ids=["status", "event"],
)
async def test_a_job_that_is_gone_is_not_asked_for_again(open_client: OpenClient, gone: str) -> None:
    async with saying(stream(SNAPSHOT), gone) as wire:
        with pytest.raises(NotFound, match=r"No such job: It is gone\."):
            await watched(open_client, wire.url)

    assert len(wire.requests) == 2


async def test_an_end_that_was_heard_before_is_the_end(open_client: OpenClient) -> None:
    """204 tells a listener who has it all to stay away."""
    async with saying(stream(SNAPSHOT), NO_CONTENT) as wire:
        states = await watched(open_client, wire.url)

    assert len(states) == 1


async def test_a_stream_that_falls_silent_is_left_for_the_next(open_client: OpenClient) -> None:
    """The service would say something every 15 s."""
    quick = Pace(silence=0.2, first=0.2)
    async with (
        hanging(stream(SNAPSHOT), stream(), stream(ENDED)) as wire,
        open_client(wire.url, pace=quick) as client,
    ):
        states = [state async for state in client.watch("a-job")]

    assert wire.cursors == [None, "1-1", "1-1"]
    assert [state.seq for state in states] == [1, 2]


async def test_a_poll_names_what_is_held_and_asks_to_be_held_back(open_client: OpenClient) -> None:
    """So that it is answered when there is news, and not before."""
    blocked = answered("403 Forbidden", "<h1>No streams here</h1>")
    first = answered("200 OK", json.dumps(a_job()), "Preference-Applied: wait=25")
    nothing = answered("304 Not Modified", "", "Preference-Applied: wait=25")
    last = answered("200 OK", json.dumps(a_job(state="completed", seq=2, cursor="2-2")))
    async with saying(blocked, blocked, first, nothing, last) as wire:
        states = await watched(open_client, wire.url)

    assert wire.headers("if-none-match")[2:] == [None, 'W/"1-1"', 'W/"1-1"']
    assert wire.headers("prefer")[2:] == ["wait=25"] * 3
    assert [state.seq for state in states] == [1, 2]


async def test_a_service_that_stays_away_is_given_up(open_client: OpenClient) -> None:
    async with saying(stream()) as wire:
        pass  # now nobody listens there

    async with open_client(wire.url, SECRET, pace=Pace(back_off=0.01, away=0.1)) as client:
        with pytest.raises(Unreachable) as lost:
            await anext(client.watch("a-job"))

    assert isinstance(lost.value.__cause__, httpx2.ConnectError)


async def test_an_update_of_a_type_not_known_yet_only_moves_the_place(open_client: OpenClient) -> None:
    new = frame("sparkle", {"state": "sparkling", "wide": [1]}, "2-2")
    async with saying(stream(SNAPSHOT, new), stream(ENDED)) as wire:
        states = await watched(open_client, wire.url)

    assert wire.cursors == [None, "2-2"]
    assert [state.state for state in states] == ["running", "running", "completed"]


async def test_a_token_is_renewed_before_it_ends(open_client: OpenClient) -> None:
    """The farewell says so; the fresh token is used from then on, from the same place."""
    bye = frame("bye", {"reason": "unauthorized"})
    fresh = answered("201 Created", json.dumps({"token": "a-fresh-one", "expires_at": a_job()["created_at"]}))
    async with saying(stream(SNAPSHOT, bye), fresh, stream(ENDED)) as wire:
        states = await watched(open_client, wire.url)

    assert wire.lines == [
        "GET /v1/jobs/a-job/stream HTTP/1.1",
        "POST /v1/jobs/a-job/token HTTP/1.1",
        "GET /v1/jobs/a-job/stream HTTP/1.1",
    ]
    assert wire.headers("authorization") == [f"Bearer {SECRET}", f"Bearer {SECRET}", "Bearer a-fresh-one"]
    assert wire.cursors == [None, None, "1-1"]
    assert states[-1].ended


async def test_a_fresh_token_that_is_refused_gives_way_to_the_client_s_own(open_client: OpenClient) -> None:
    bye = frame("bye", {"reason": "unauthorized"})
    fresh = answered("201 Created", json.dumps({"token": "a-fresh-one", "expires_at": a_job()["created_at"]}))
    denied = answered("401 Unauthorized", json.dumps(DENIED))
    async with saying(stream(SNAPSHOT, bye), fresh, denied, stream(ENDED)) as wire:
        states = await watched(open_client, wire.url)

    assert wire.headers("authorization")[2:] == ["Bearer a-fresh-one", f"Bearer {SECRET}"]
    assert states[-1].ended


async def test_a_credential_that_is_no_good_is_not_tried_again(open_client: OpenClient) -> None:
    async with saying(answered("401 Unauthorized", json.dumps(DENIED))) as wire:
        with pytest.raises(Unauthorized):
            await watched(open_client, wire.url)

    assert len(wire.requests) == 1


async def test_an_expired_token_is_replaced_by_a_fresh_one(open_client: OpenClient, system: System, api: Api) -> None:
    """The function that yields tokens is asked again after a 401, and only then."""
    job = await api.submit("Tell me about locks.", subject="a-mariner")
    scopes = frozenset({"read"})
    tokens = [KEYRING.browser_token("a-mariner", scopes, seconds=seconds).token for seconds in (600, -600)]

    async with open_client(system.url, tokens.pop) as client:
        *_, last = [state async for state in client.watch(job["id"])]
        assert (await client.get(job["id"])).state == last.state == "completed"


async def test_a_token_that_ends_while_the_job_is_watched_is_renewed(
    open_client: OpenClient, service: Serving, hand: Hand
) -> None:
    """Its reader notices nothing: the service says farewell, and the next stream goes on with a fresh one."""
    token = KEYRING.browser_token(SUBJECT, frozenset({"read"}), seconds=6).token
    async with (
        open_proxy(service.url) as proxy,
        open_client(proxy.url, token) as client,
        asyncio.TaskGroup() as tasks,
    ):
        watching = tasks.create_task(seqs_of(client, hand.claim.job_id))
        await until(lambda: streams_again(proxy))
        await hand.write(hand.say("openai", "still here"), hand.end(State.COMPLETED, result={}))
        seqs = await watching

    assert seqs == [seqs[0], seqs[0] + 1, seqs[0] + 2]


async def write_until(enough: asyncio.Event, hand: Hand) -> None:
    """A word after the other, as fast as the store takes them, and then the end."""
    for _ in range(MOST_WORDS):
        if enough.is_set():
            break
        await hand.write(hand.say("openai", "word "))
    await hand.write(hand.end(State.COMPLETED, result={}))


async def gather(states: list[Job], watch: AsyncIterator[Job]) -> None:
    """Put what the watch tells to the states."""
    async for state in watch:
        states.append(state)  # noqa: PERF401  # what came before an error counts


async def seqs_of(client: AsyncClient, job_id: str) -> list[int]:
    """The number of each update that the watch told."""
    return [state.seq async for state in client.watch(job_id)]


async def streams_again(proxy: Proxy) -> bool:
    """A stream was asked for after a token."""
    methods = [request.partition(" ")[0] for request in proxy.requests]
    return "POST" in methods and methods[-1] == "GET"
