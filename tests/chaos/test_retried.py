"""A job that is retried by hand while it is watched: every watcher has in the end what polling returns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from jobs.model import JobId, JsonObject
from tests.api import Api
from tests.chaos.arena import Arena
from tests.chaos.invariants import broken_promises, lasting_leftovers
from tests.service.serving import serving
from tests.system import SECRET
from tests.transports.reference import held_after, held_after_of_many, told
from tests.transports.sockets import dial, hear, say
from tests.transports.subjects import (
    MULTIPLEXED,
    PORTABLE,
    PORTABLE_MULTIPLEXED,
    STREAMS,
    SUBSCRIPTION,
    UPDATES,
    Transport,
    listen_to_many,
)

WATCHED = (UPDATES, *(stream for stream in STREAMS if stream not in (PORTABLE, PORTABLE_MULTIPLEXED)))
"""The API of an arena is at one address, and serves its streams in one way."""

RUNS = 3
MANNERS: list[JsonObject] = [{}, {"from": "start"}]


@dataclass
class Retrying:
    """A job behind a real API, with a worker that runs it, and who retries it."""

    arena: Arena
    api: Api

    async def begun(self, kind: str, *, pause: float) -> JobId:
        """A job that has begun to speak."""
        job_id = await self.arena.submit(kind, n=3, pause=pause)
        await self.arena.logged(job_id, "delta")
        return job_id

    async def cancelled(self, job_id: JobId) -> JsonObject:
        """The job once its run is over, wherever it was."""
        assert (await self.api.http.post(f"/v1/jobs/{job_id}/cancel")).status_code == 202
        await self.arena.ended(job_id)
        return told(await self.api.poll(job_id))

    async def retry(self, job_id: JobId, manner: JsonObject) -> JsonObject:
        """The snapshot of the 202."""
        response = await self.api.http.post(f"/v1/jobs/{job_id}/retry", json=manner)
        assert response.status_code == 202, response.text
        return told(response.json())

    def watch(self, transport: Transport, job_id: JobId, held: JsonObject) -> asyncio.Task[JsonObject]:
        """What a watcher who comes with what it held has at the end of the run."""

        async def last() -> JsonObject:
            views = [held]
            async with aclosing(transport.follow(self.api, job_id, held)) as following:
                views += [view async for view in following]
            return views[-1]

        return asyncio.create_task(last())

    async def expect_told(self, transport: Transport, job_id: JobId, *watchers: JsonObject) -> None:
        """Each watcher holds what polling returns."""
        polled = told(await self.api.poll(job_id))
        assert [transport.seen(held) for held in watchers] == [transport.seen(polled)] * len(watchers)

    async def expect_settled(self, job_id: JobId) -> None:
        assert await broken_promises(self.arena, [job_id]) == []
        assert await lasting_leftovers(self.arena) == []


@pytest.fixture
async def retrying(arena: Arena) -> AsyncIterator[Retrying]:
    """A worker, an API, and whoever asks it."""
    arena.workers.start()
    async with serving(arena.store.url, kinds=arena.kinds) as served, Api(served.url, SECRET) as api:
        yield Retrying(arena, api)


@pytest.mark.parametrize("transport", WATCHED, ids=lambda transport: transport.name)
async def test_who_follows_from_the_answer_to_a_retry_ends_with_what_polling_says(
    transport: Transport, retrying: Retrying
) -> None:
    """Cancelled in its words and retried, with and without what it had kept, several times in a row: each time one
    watcher follows from the cursor of the 202, and the one of the run before comes back with that of its end."""
    job_id = await retrying.begun("duet", pause=0.05)
    before = await retrying.cancelled(job_id)
    for run in range(2, RUNS + 1):
        answer = await retrying.retry(job_id, MANNERS[run % 2])
        new, old = [retrying.watch(transport, job_id, held) for held in (answer, before)]
        if run < RUNS:
            await retrying.cancelled(job_id)

        before = await new

        assert before["run"] == run
        await retrying.expect_told(transport, job_id, before, await old)
    assert before["state"] == "completed"
    await retrying.expect_settled(job_id)


@pytest.mark.parametrize("transport", WATCHED, ids=lambda transport: transport.name)
async def test_a_part_that_is_asked_again_is_told_again_and_the_other_one_stays(
    transport: Transport, retrying: Retrying
) -> None:
    """Of a job that completed, several times in a row; the watcher of the first run comes back each time."""
    job_id = await retrying.begun("duet", pause=0.01)
    await retrying.arena.ended(job_id)
    first = before = told(await retrying.api.poll(job_id))
    for _ in range(2, RUNS + 1):
        answer = await retrying.retry(job_id, {"parts": ["low"]})
        assert (answer["parts"]["low"]["text"], answer["parts"]["high"]) == ("", first["parts"]["high"])
        new, old = [retrying.watch(transport, job_id, held) for held in (answer, before)]

        before = await new

        await retrying.expect_told(transport, job_id, before, await old)
    assert (before["state"], before["result"]) == ("completed", first["result"])
    assert [before["parts"][part]["attempt"] for part in ("high", "low")] == [1, RUNS]
    await retrying.expect_settled(job_id)


async def test_a_stream_over_many_jobs_that_told_an_end_tells_the_run_after_it(retrying: Retrying) -> None:
    """Another of its jobs goes on, so the stream is still there when the retry comes."""
    other = await retrying.arena.submit("steps", n=1, pause=1000)
    job_id = await retrying.begun("duet", pause=0.01)
    held: JsonObject = {}
    async with aclosing(listen_to_many(retrying.api, [other, job_id], None)) as events:
        async for event in events:
            if event.data.get("job") == job_id and event.id is not None:
                held = held_after_of_many(held, event.id, event.event, event.data)
            if event.event == "end" and held["run"] == RUNS:
                break
            if event.event == "end":
                await retrying.retry(job_id, {"parts": ["high", "low"]})

    await retrying.expect_told(MULTIPLEXED, job_id, held)
    await retrying.cancelled(other)
    await retrying.expect_settled(job_id)


async def test_a_socket_that_told_an_end_tells_the_run_after_it_to_who_subscribes_again(retrying: Retrying) -> None:
    """On the same connection, from the cursor of the end."""
    job_id = await retrying.begun("duet", pause=0.01)
    held: JsonObject = {}
    async with dial(retrying.api, "/v1/ws") as socket:
        for run in range(1, RUNS + 1):
            await say(socket, op="subscribe", job=job_id, after=held.get("cursor"))
            for message in await hear(socket, until="end"):
                if "id" in message:
                    held = held_after(held, message["id"], message["event"], message["data"])
            assert held["run"] == run
            if run < RUNS:
                await retrying.retry(job_id, {"parts": ["high", "low"]})

    await retrying.expect_told(SUBSCRIPTION, job_id, held)
    await retrying.expect_settled(job_id)
