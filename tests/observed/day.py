"""A day in the life of the product, short and eventful, as its scrapes see it."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

from tests.api import Api
from tests.jobs.patience import until
from tests.observed.scrape import Scrape
from tests.observed.watched import Watched, submitted
from tests.system import SECRET
from tests.transports.sockets import dial, hear

ATTEMPTS = 4
"""One of the chat, one of the job that fails, and two of the one that is tried again."""

SLOW = {"models": {"openai": "gpt-sandbox-slow", "google": "gemini-sandbox-slow"}}


@dataclass(frozen=True)
class Looks:
    """What both processes told at one moment."""

    api: Scrape
    worker: Scrape


@dataclass(frozen=True)
class Day:
    """What was told before it, while four listened, and after it."""

    before: Looks
    listened: Scrape
    after: Looks

    def moved(self, sample: str, **labels: str) -> float:
        """By how much the sample has grown over the day."""
        return sum(
            after.total(sample, **labels) - before.total(sample, **labels)
            for before, after in ((self.before.api, self.after.api), (self.before.worker, self.after.worker))
        )


async def live_through(watched: Watched) -> Day:
    """A chat that four listen to, a job that is tried again, one that fails, and a client that was refused."""
    before = _look(watched)
    async with Api(watched.product.url, SECRET) as caller, Api(watched.product.url, "wrong") as stranger:
        again = {"transcript": "Ann bought a bag.", "provider": "openai", "model": "gpt-sandbox:500x3"}
        retried = await submitted(caller, "transcript-to-journey", again)
        failed = await submitted(caller, "generate-insights", {"system_id": "nowhere"})
        chat = await submitted(caller, "chat", {"message": "What is a day?", **SLOW})
        listened = await _listen(watched, caller, chat)
        await stranger.http.get(f"/v1/jobs/{chat}")
        await _resume(caller, chat)
        for job_id in (failed, retried):
            await caller.ended(job_id)
    await until(lambda: _is_over(watched, before.worker))
    return Day(before, listened, _look(watched))


async def _listen(watched: Watched, caller: Api, chat: str) -> Scrape:
    """What the API tells while four listen to the chat; then all of them hear it out."""
    async with AsyncExitStack() as listening:
        socket = await listening.enter_async_context(dial(caller, f"/v1/jobs/{chat}/ws"))
        many = await listening.enter_async_context(caller.http.stream("GET", "/v1/stream", params={"job": chat}))
        one = await listening.enter_async_context(aclosing(caller.listen(chat)))
        await anext(one)
        waiting = asyncio.create_task(_wait(caller, chat))
        await until(lambda: _all_listen(watched))
        listened = watched.of_api()
        await hear(socket)
        await many.aread()
        async for _ in one:
            pass
        await waiting
    return listened


async def _wait(caller: Api, chat: str) -> None:
    """Poll until the chat has changed, again and again, until it is over."""
    tag, state = "", ""
    while state not in ("completed", "failed"):
        asked = {"Prefer": "wait=20", "If-None-Match": tag}
        answer = await caller.http.get(f"/v1/jobs/{chat}", headers=asked)
        tag = answer.headers["etag"]
        state = answer.json()["state"] if answer.status_code == 200 else state


async def _resume(caller: Api, chat: str) -> None:
    """Come back with a cursor that the log holds, with one that it doesn't, and with the last."""
    seen = [event.id async for event in caller.listen(chat) if event.id]
    for cursor in (seen[0], "1-1", seen[-1]):
        async for _ in caller.listen(chat, after=cursor):
            pass


async def _all_listen(watched: Watched) -> bool:
    told = watched.of_api()
    return all(
        told.total("jobstream_streams", transport=each) for each in ("sse", "multiplexed", "websocket", "long-poll")
    )


async def _is_over(watched: Watched, before: Scrape) -> bool:
    """Whether all streams are closed and every attempt is counted: both come a moment after the last update."""
    attempts = "jobstream_attempt_seconds_count"
    counted = watched.of_worker().total(attempts) - before.total(attempts)
    return watched.of_api().total("jobstream_streams") == 0 and counted >= ATTEMPTS


def _look(watched: Watched) -> Looks:
    return Looks(watched.of_api(), watched.of_worker())
