"""The API while its store is away: refusals that end soon, streams that stay, and everything back afterwards."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing

import pytest
from httpx2 import Response

from jobs.connection import connect
from jobs.model import JsonObject
from tests.api import PATIENCE_SECONDS, Api, Event, parsed
from tests.jobs.doors import Doors
from tests.service.serving import Serving, serving
from tests.system import SECRET
from tests.transports.hand import Hand, story, take_in_hand
from tests.transports.reference import held_after, told
from tests.valkey import ValkeyProcess, running_valkey

BOUND_SECONDS = 6.0
"""No answer takes longer than a call of the store may, twice, and some."""

PING_SECONDS = 0.3


@pytest.fixture
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyProcess]:
    """A store that this test may kill; each write of it is on disk before it is acknowledged."""
    with running_valkey(tmp_path_factory.mktemp("store"), "--appendfsync", "always") as server:
        yield server


@pytest.fixture
async def service(own_store: ValkeyProcess) -> AsyncIterator[Serving]:
    """An API on that store."""
    async with serving(own_store.url, ping_seconds=PING_SECONDS) as running:
        yield running


@pytest.fixture
async def caller(service: Serving) -> AsyncIterator[Api]:
    """Who asks it."""
    async with Api(service.url, SECRET) as api:
        yield api


def kill(store: ValkeyProcess) -> None:
    store.kill()


def freeze(store: ValkeyProcess) -> None:
    os.kill(store.pid, signal.SIGSTOP)


@pytest.mark.parametrize("befall", [kill, freeze])
async def test_calls_are_refused_soon_and_by_name(
    own_store: ValkeyProcess, caller: Api, befall: Callable[[ValkeyProcess], None]
) -> None:
    """503, whether the store is dead or only silent, with a time to come again; the process itself is alive."""
    job_id = (await caller.submit("before"))["id"]
    befall(own_store)

    async with asyncio.timeout(BOUND_SECONDS):
        refused = await asyncio.gather(
            caller.http.get(f"/v1/jobs/{job_id}"),
            caller.http.get(f"/v1/jobs/{job_id}/stream"),
            caller.http.post(f"/v1/jobs/{job_id}/cancel"),
            caller.http.post("/v1/jobs", json={"kind": "chat", "input": {"message": "meanwhile"}}),
        )
        ready, alive = await caller.http.get("/readyz"), await caller.http.get("/healthz")

    for answer in refused:
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store-unavailable")
        assert answer.headers["content-type"] == "application/problem+json"
        assert int(answer.headers["retry-after"]) > 0
    assert (ready.status_code, alive.status_code) == (503, 200)


async def test_a_browser_is_told_by_the_stream_itself_since_it_never_returns_from_a_status(
    own_store: ValkeyProcess, caller: Api
) -> None:
    """200, a time to come back and the problem, for EventSource alone; who can read a status is given one."""
    job_id = (await caller.submit("before"))["id"]
    own_store.kill()

    async def ask(**headers: str) -> Response:
        return await caller.http.get(f"/v1/jobs/{job_id}/stream", headers=headers)

    softened = await ask(Accept="text/event-stream")
    others = [
        await ask(Accept="text/event-stream", Prefer="status"),
        await ask(Accept="text/event-stream, */*"),
        await ask(Accept="*/*"),
    ]

    (problem,) = [event async for event in parsed(_bytes(softened))]
    assert softened.status_code == 200
    assert softened.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (problem.event, problem.id, problem.data["type"]) == ("problem", None, "/problems/store-unavailable")
    assert (problem.data["status"], problem.retry is not None) == (503, True)
    assert [other.status_code for other in others] == [503] * 3


@pytest.mark.parametrize("from_start", [True, False], ids=["from the start", "from a place"])
async def test_a_stream_outlives_its_store(own_store: ValkeyProcess, caller: Api, *, from_start: bool) -> None:
    """It stays open with pings, and goes on from the restarted store without a gap."""
    job = await caller.submit("written by hand")
    async with aclosing(caller.listen(job["id"], after=None if from_start else job["cursor"])) as listening:
        held = told(job)
        async with connect(own_store.url) as client:
            claim = (await take_in_hand(Doors(client), job["id"])).claim
        held = await fold_until(listening, held, seq=2)

        own_store.kill()
        assert [(await anext(listening)).event for _ in range(3)] == ["ping"] * 3
        own_store.start()

        async with connect(own_store.url) as client:
            hand = Hand(Doors(client), claim)
            lines = story(hand)
            for line in lines:
                await hand.write(line)
        held = await fold_until(listening, held, seq=2 + len(lines))
        assert [event async for event in listening] == []

    assert held == told(await caller.poll(job["id"]))
    assert (await caller.submit("afterwards"))["state"] == "queued"


async def fold_until(listening: AsyncIterator[Event], held: JsonObject, *, seq: int) -> JsonObject:
    """What the client holds once it has heard that update."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while held["seq"] < seq:
            event = await anext(listening)
            if event.id is not None:
                held = held_after(held, event.id, event.event, event.data)
    return held


async def _bytes(response: Response) -> AsyncIterator[bytes]:
    yield response.content
