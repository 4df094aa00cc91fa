"""The product's own workers as processes: killed, stopped, frozen or without a store in the middle of a chat."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jobs import keys
from jobs.connection import connect
from jobs.model import JobId, JsonObject
from tests.api import Api, comparable, digest, follow
from tests.jobs.doors import Doors
from tests.jobs.patience import until
from tests.system import SECRET, Process, System, running_system
from tests.workers.workshop import texts

LEASE_SECONDS = 2
PACE = 0.3
"""Answers within a second, and slow ones in three or more: time enough to do something to their worker."""

FAST_AND_SLOW = {"openai": "gpt-sandbox-slow", "anthropic": "claude-sandbox", "google": "gemini-sandbox-slow"}


@dataclass
class Crew:
    """The product's workers: always two when a test begins, so that one takes over from the other."""

    product: System
    members: list[Process] = field(default_factory=list)
    _hired: int = 0

    async def complete(self) -> None:
        """Start workers in place of those that were let go."""
        while len(self.members) < 2:
            self._hired += 1
            member = self.product.new_worker(f"member-{self._hired}")
            member.start()
            self.members.append(member)
        for member in self.members:
            await until(lambda: _says(member, "worker ready"))  # noqa: B023  # awaited here

    def let_go(self, member: Process, how: signal.Signals) -> int:
        """End one by the signal; its exit code."""
        self.members.remove(member)
        return member.end(how)


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    """The workers of a product of this module's own."""
    settings = {"JOBSTREAM_LEASE": str(LEASE_SECONDS)}
    with running_system(tmp_path_factory.mktemp("workers"), pace=PACE, settings=settings) as product:
        crew = Crew(product, [product.worker])
        yield crew
        for member in crew.members:
            member.kill()


@dataclass
class Chat:
    """One chat in progress, as its client and its store see it."""

    job_id: JobId
    message: str
    api: Api
    doors: Doors
    crew: Crew

    async def holder(self) -> Process:
        """The worker that holds it: its lease's token names the process."""
        token = await self.doors.client.get(keys.lease(self.job_id))
        assert token is not None
        pid = int(token.decode().rsplit("-", 3)[1])
        return next(member for member in self.crew.members if member.pid == pid)

    async def is_half_told(self) -> bool:
        """Whether the fast answer is complete, and each slow one begun."""
        parts = (await self.doors.snapshot(self.job_id))["parts"]
        return (
            len(parts) == len(FAST_AND_SLOW)
            and parts["anthropic"]["state"] == "completed"
            and all(
                len(parts[name]["text"]) > 0 and parts[name]["state"] == "running" for name in ("openai", "google")
            )
        )

    async def reasons(self) -> list[str | None]:
        """Why it was picked up, each time that it was."""
        updates = await self.doors.updates(self.job_id)
        return [data.get("reason") for event, data in updates if event == "state" and data["state"] == "running"]

    async def expect_whole(self, *, starts: dict[str, int]) -> JsonObject:
        """Its end is the only one, every answer is what the provider said last, and none was asked for in vain."""
        ended = await self.api.poll(self.job_id)
        updates = await self.doors.updates(self.job_id)
        assert (ended["state"], ended["attempt"]) == ("completed", 1)
        assert [event for event, _ in updates].count("end") == 1
        assert updates[-1][0] == "end"
        for name, count in starts.items():
            told = texts(updates, name)
            assert len(told) == count
            assert told[-1] == ended["parts"][name]["text"] == ended["result"][name]["text"]
            assert ended["parts"][name]["attempt"] == count
        assert await self._asked() == starts
        return ended

    async def _asked(self) -> dict[str, int]:
        """How often each provider was asked."""
        answer = await self.api.http.get(f"{self.crew.product.sandbox_url}/sandbox/requests")
        entries = answer.json()["requests"]
        return {each["provider"]: each["count"] for each in entries if each["prompt_sha256"] == digest(self.message)}


@pytest.fixture
async def chat(crew: Crew, request: pytest.FixtureRequest) -> AsyncIterator[Chat]:
    """A chat whose fast answer is complete while the others are half told."""
    await crew.complete()
    message = f"What is there to say about {request.node.name}?"
    async with Api(crew.product.url, SECRET) as api, connect(crew.product.store.url) as client:
        job = await api.submit(message, input={"models": FAST_AND_SLOW})
        chat = Chat(JobId(job["id"]), message, api, Doors(client), crew)
        await until(chat.is_half_told)
        yield chat


async def test_a_worker_that_is_killed_loses_only_what_was_not_complete(chat: Chat, crew: Crew) -> None:
    """The other one goes on: the complete answer is not asked for again, the others start anew with an empty text."""
    listening = asyncio.create_task(follow(chat.api, chat.job_id))

    crew.let_go(await chat.holder(), signal.SIGKILL)

    follower = await listening
    ended = await chat.expect_whole(starts={"openai": 2, "anthropic": 1, "google": 2})
    assert await chat.reasons() == [None, "worker-lost"]
    assert comparable(follower.snapshot) == comparable(ended)
    assert follower.seqs == list(range(follower.seqs[0], follower.seqs[-1] + 1))


async def test_a_worker_that_is_stopped_hands_its_chat_over(chat: Chat, crew: Crew) -> None:
    """It ends in order, the other one goes on, and no attempt is used up."""
    assert crew.let_go(await chat.holder(), signal.SIGTERM) == 0

    await chat.api.ended(chat.job_id)

    await chat.expect_whole(starts={"openai": 2, "anthropic": 1, "google": 2})
    assert await chat.reasons() == [None, "handed-back"]


async def test_a_worker_that_is_stopped_while_the_store_is_frozen_ends_all_the_same(chat: Chat, crew: Crew) -> None:
    """It cannot hand its chat back: that is found when the lease has run out."""
    holder = await chat.holder()
    os.kill(crew.product.store.pid, signal.SIGSTOP)
    try:
        assert crew.let_go(holder, signal.SIGTERM) == 0
    finally:
        os.kill(crew.product.store.pid, signal.SIGCONT)

    await chat.api.ended(chat.job_id)

    assert (await chat.doors.snapshot(chat.job_id))["state"] == "completed"
    assert (await chat.reasons())[-1] in ("worker-lost", "handed-back")  # the store may find that in its socket


async def test_a_worker_that_still_waits_for_its_store_ends_when_it_is_told(tmp_path: Path) -> None:
    """Nobody has to tell it twice."""
    environment = {"PATH": os.environ["PATH"], "REDIS_URL": f"unix://{tmp_path}/nothing.sock"}
    worker = Process("worker", tmp_path, [sys.executable, "-m", "arq", "workers.main.WorkerSettings"], environment)
    worker.start()
    try:
        await until(lambda: _says(worker, "the store does not answer"))
        assert worker.end(signal.SIGTERM) == 0
    finally:
        worker.kill()


async def test_a_store_that_restarts_interrupts_nothing(chat: Chat, crew: Crew) -> None:
    """The worker and its providers go on where they were."""
    crew.product.store.restart()  # here and not on a thread, with which it would end

    await chat.api.ended(chat.job_id)

    await chat.expect_whole(starts={"openai": 1, "anthropic": 1, "google": 1})
    assert await chat.reasons() == [None]


async def test_a_store_that_is_killed_may_forget_a_moment_but_tells_no_broken_story(chat: Chat, crew: Crew) -> None:
    """What its disk had not taken is gone; then answers start anew, so that what is told fits what is there."""
    crew.product.store.kill()
    crew.product.store.start()

    ended = await chat.api.ended(chat.job_id)

    await chat.expect_whole(starts={name: part["attempt"] for name, part in ended["parts"].items()})


async def test_a_chat_that_is_cancelled_ends_so_and_its_worker_takes_the_next(chat: Chat) -> None:
    """What is complete stays, the rest is cancelled, and nobody goes on asking."""
    answer = await chat.api.http.post(f"/v1/jobs/{chat.job_id}/cancel")
    assert answer.status_code == 202
    assert answer.json()["state"] in ("cancelling", "cancelled")  # its worker may be quicker than the answer

    ended = await chat.api.ended(chat.job_id)

    assert ended["state"] == "cancelled"
    states = {name: part["state"] for name, part in ended["parts"].items()}
    assert states == {"openai": "cancelled", "anthropic": "completed", "google": "cancelled"}
    another = await chat.api.submit("And now?")
    assert (await chat.api.ended(another["id"]))["state"] == "completed"


async def test_a_worker_that_was_frozen_past_its_lease_writes_nothing_more(chat: Chat) -> None:
    """It wakes while another has its chat, is refused, notices, and lives on."""
    zombie = await chat.holder()
    os.kill(zombie.pid, signal.SIGSTOP)
    try:
        await until(lambda: _was_lost(chat))
    finally:
        os.kill(zombie.pid, signal.SIGCONT)

    await until(lambda: _says(zombie, '"outcome": "Lost"'))
    await chat.api.ended(chat.job_id)

    await chat.expect_whole(starts={"openai": 2, "anthropic": 1, "google": 2})
    assert await chat.reasons() == [None, "worker-lost"]
    assert zombie.end() == 0
    chat.crew.members.remove(zombie)


async def _was_lost(chat: Chat) -> bool:
    return "worker-lost" in await chat.reasons()


async def _says(process: Process, words: str) -> bool:
    return words in process.output.read_text()
