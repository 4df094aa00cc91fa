"""Connections cut at random while the API is killed and tokens end: no update is lost, doubled or out of order.

JOBSTREAM_CLIENT_CUTS says how many for each form of the client, JOBSTREAM_CLIENT_SEED which; the seed is printed."""

import asyncio
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx2
import pytest

from jobs.connection import Client
from jobs.log import Line
from jobs.model import JsonObject, State
from jobstream.client import AsyncClient, Job, Pace
from service.credentials import Keyring
from tests.api import Api, comparable
from tests.client.conftest import LEASE_SECONDS, SUBJECT
from tests.client.forms import OpenClient
from tests.client.proxy import Proxy, fates, open_proxy
from tests.figures import Say
from tests.jobs.doors import Doors
from tests.jobs.patience import until
from tests.system import READY_SECONDS, SECRET, System, wait_until
from tests.transports.hand import Hand, take_in_hand
from tests.valkey import ValkeyProcess

CUTS = int(os.environ.get("JOBSTREAM_CLIENT_CUTS", "40"))
SEED = int(os.environ.get("JOBSTREAM_CLIENT_SEED", "1"))
WATCHERS = 5
PATIENCE_SECONDS = 60.0 + CUTS / 2
MOST_BEHIND = 40
PACE = Pace(stream_again=0.5, back_off=0.02, back_off_most=0.2)
ANCHOR = "What makes a snapshot dearer than anything that a watcher could miss. " * 130
LONGEST_TEXT = 6_000
WORDS = [
    "and ",
    "then, ",
    "naïve ",
    "\U0001d11e ",
    "\U0001f468\u200d\U0001f680 ",
    "e\u0301té ",
    "\u2028",
    "so it goes. ",
]


@dataclass
class Watcher:
    """One who watches the job to its end, and keeps account of it."""

    client: AsyncClient
    job_id: str
    states: list[Job] = field(default_factory=list)

    @property
    def seq(self) -> int:
        return self.states[-1].seq if self.states else 0

    async def watch(self) -> None:
        async for state in self.client.watch(self.job_id):
            self.states.append(state)

    def jumps(self) -> int:
        """How often more than one update came as one state, as polling tells them."""
        return sum(after.seq > before.seq + 1 for before, after in pairwise(self.states))

    def faults(self, truth: JsonObject) -> list[str]:
        """What was doubled, out of order, or not what was written."""
        found = [
            f"{after.seq} after {before.seq}" for before, after in pairwise(self.states) if after.seq <= before.seq
        ]
        found += [
            f"a text changed at {after.seq}" for before, after in pairwise(self.states) if not _grew(before, after)
        ]
        found += [name for name, part in self.states[-1].parts.items() if part.verified is not True]
        if comparable({**self.states[-1].snapshot}) != comparable(truth):
            found.append("the job is not what polling says")
        return found


def _grew(before: Job, after: Job) -> bool:
    """Whether each text goes on from what it was, but for parts that began anew."""
    return all(
        after.parts[name].attempt > part.attempt or after.parts[name].text.startswith(part.text)
        for name, part in before.parts.items()
    )


@dataclass
class Author:
    """Who writes the job, no faster than it is watched."""

    hand: Hand
    seq: int
    chance: random.Random
    said: int = 0

    async def write_until(self, cuts: int, proxy: Proxy, watchers: list[Watcher]) -> None:
        """Write until so many connections have been cut."""
        while sum(proxy.cuts.values()) < cuts:
            await until(lambda: self._is_near(watchers), seconds=PATIENCE_SECONDS)
            await self.write(*[self._next_line() for _ in range(self.chance.randint(1, 4))])

    async def write(self, *lines: Line) -> None:
        await self.hand.write(*lines)
        self.seq += len(lines)

    async def _is_near(self, watchers: list[Watcher]) -> bool:
        return all(watcher.seq >= self.seq - MOST_BEHIND for watcher in watchers)

    def _next_line(self) -> Line:
        if self.said > LONGEST_TEXT:
            self.said = 0
            return self.hand.begin("openai")
        if self.chance.random() < 0.1:
            return self.hand.progress(processed=self.seq)
        words = "".join(self.chance.choices(WORDS, k=self.chance.randint(1, 30)))
        self.said += len(words)
        return self.hand.say("openai", words)


class Tokens:
    """Yields tokens that soon end, the first one ended already; who changes the key ends them all."""

    def __init__(self) -> None:
        self.key = "a-signing-key-for-tests"
        self.given = 0

    def __call__(self) -> str:
        self.given += 1
        seconds = 8.0 if self.given > 1 else -600.0
        keyring = Keyring(service=[SECRET], operator=[], signing=[self.key])
        return keyring.browser_token(SUBJECT, frozenset({"read"}), seconds=seconds).token


@pytest.fixture
def killable(tmp_path: Path, store: ValkeyProcess, redis: Client) -> Iterator[System]:
    """The API in a process of its own, on the empty shared store."""
    system = System(tmp_path, store, pace=0, settings={"JOBSTREAM_DEMO": "0", "JOBSTREAM_PING_SECONDS": "1"})
    try:
        yield system
    finally:
        system.api.kill()


async def test_no_cut_loses_or_doubles_an_update(
    open_client: OpenClient, killable: System, doors: Doors, say: Say
) -> None:
    """Half-way the API is killed, and comes back with another key, so that every token has ended."""
    start(killable, tokens := Tokens())
    author = await new_author(killable.url, Doors(doors.client, LEASE_SECONDS))
    way = open_proxy(killable.url, fates=fates(SEED, longest=24_000))
    async with way as proxy, open_client(proxy.url, tokens, pace=PACE) as client:
        watchers = [Watcher(client, author.hand.claim.job_id) for _ in range(WATCHERS)]
        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
            for watcher in watchers:
                tasks.create_task(watcher.watch())
            await author.write_until(CUTS // 2, proxy, watchers)
            tokens.key = "another-signing-key-for-tests"
            await asyncio.to_thread(restart, killable, tokens)
            await author.write_until(CUTS, proxy, watchers)
            await author.write(*[author.hand.finish(part, "completed") for part in author.hand.running])
            await author.write(author.hand.end(State.COMPLETED, result={}))
    async with Api(killable.url, SECRET) as api:
        truth = await api.poll(author.hand.claim.job_id)

    polls = sum("/stream" not in request and request.startswith("GET") for request in proxy.requests)
    jumps = sum(watcher.jumps() for watcher in watchers)
    say(f"seed {SEED}: {sum(proxy.cuts.values())} cuts of {len(proxy.requests)} connections, {dict(proxy.cuts)}")
    say(f"{truth['seq']} updates, {WATCHERS} watchers, {jumps} jumps in {polls} polls, {tokens.given} tokens given")
    assert [watcher.faults(truth) for watcher in watchers] == [[]] * WATCHERS
    assert jumps <= polls
    assert tokens.given >= 3, "the expired one, and one for each key"


def start(system: System, tokens: Tokens) -> None:
    """Run the API with the key of these tokens."""
    system._environment["JOBSTREAM_SIGNING_KEY"] = tokens.key
    system.api.start()
    wait_until(lambda: lives(system.url), READY_SECONDS, system.api.output.read_text)


def restart(system: System, tokens: Tokens) -> None:
    """Kill the API in the middle of whatever it does, and run it again where it was."""
    system.api.kill()
    start(system, tokens)


def lives(url: str) -> bool:
    """The API answers."""
    try:
        return httpx2.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False


async def new_author(url: str, doors: Doors) -> Author:
    """A job that has begun, and is so long already that no snapshot is cheaper than what a watcher missed."""
    async with Api(url, SECRET) as api:
        job = await api.submit("written by hand", subject=SUBJECT)
    author = Author(await take_in_hand(doors, job["id"]), job["seq"] + 1, random.Random(SEED))
    await author.write(author.hand.begin("anthropic"), author.hand.say("anthropic", ANCHOR))
    await author.write(author.hand.begin("openai"))
    return author
