"""Crowds that leave at once and come back at once: nothing of them stays, and each of them is served."""

import asyncio
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jobs.connection import Client
from tests.crowds.guests import SEQ, Guest, asking, guests, listening, opening
from tests.crowds.house import open_house
from tests.crowds.talk import Talk, begin_talk
from tests.figures import Say
from tests.jobs.doors import Doors
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.service.edge import Edge, edge
from tests.valkey import ValkeyProcess

LEAVING = 1000
COMING = 2000
ROUNDS = 3
SPARE_FILES = 200
PIECES = 100
MOST_CONNECTIONS = 20
MOST_READS = 5
BUSY = b"HTTP/1.1 503"
READS_OF_THE_LOG = ("evalsha", "eval", "fcall")


@pytest.fixture
def most_guests() -> int:
    """As many clients as this process has files for, where it serves them too."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most // 2 - SPARE_FILES


async def test_a_thousand_who_vanish_at_once_leave_nothing_behind(
    store: ValkeyProcess, doors: Doors, most_guests: int, say: Say
) -> None:
    """Neither tasks nor subscriptions nor files, each time; the job goes on, and whoever stayed hears of it."""
    count = min(LEAVING, most_guests)
    stays, *others = [await begin_talk(doors, name) for name in ("stays", "left", "left too")]
    async with edge(store.url) as service:
        with guests(service.url, 1) as (witness,):
            await arrive(witness, listening(f"/v1/jobs/{stays.job_id}/stream"))
            await until(lambda: nobody_walks(service))
            before = await left(doors.client)

            async def nothing_is_left() -> bool:
                return await left(doors.client) == before

            for _ in range(ROUNDS):
                with guests(service.url, count) as crowd:
                    asked = [request for talk in others for request in every_way(talk, stays)]
                    arriving = (arrive(guest, asked[at % len(asked)]) for at, guest in enumerate(crowd))
                    await asyncio.gather(*arriving)
                    most = len(asyncio.all_tasks())
                await until(nothing_is_left)
            await stays.say("still here")
            heard = await witness.hear(b"still here")

    assert b"still here" in heard
    say(f"{ROUNDS} times {count} readers vanished at once: {most} tasks, then the {before['tasks']} of before")


def every_way(talk: Talk, other: Talk) -> list[bytes]:
    """What a reader of the job may ask for."""
    return [
        listening(f"/v1/jobs/{talk.job_id}/stream"),
        listening(f"/v1/stream?job={talk.job_id}&job={other.job_id}"),
        opening(f"/v1/jobs/{talk.job_id}/ws"),
    ]


async def arrive(guest: Guest, request: bytes) -> None:
    """Ask for a stream, and hear its beginning."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await guest.ask(request)
        heard = await guest.hear(b'"seq":')
        assert b'"seq":' in heard, heard


async def nobody_walks(service: Edge) -> bool:
    """Whether all who listen are caught up."""
    return service.parts.delivery.walks == 0


async def left(client: Client) -> dict[str, Any]:
    """What clients may leave behind; connections to the store are not theirs, but of pools that keep them."""
    return {
        "tasks": len(asyncio.all_tasks()),
        "files": open_files() - await connections(client),
        "channels": sorted(await client.pubsub_channels()),
    }


def open_files() -> int:
    """How many files this process has open."""
    return len([*Path("/proc/self/fd").iterdir()])


@dataclass(frozen=True)
class Visit:
    """Somebody who comes to a job: from where in it, and from which update on it lacks all."""

    talk: Talk
    place: str
    first: int


async def test_two_thousand_who_come_at_once_cost_the_store_few_reads_and_connections(
    tmp_path: Path, store: ValkeyProcess, doors: Doors, most_guests: int, say: Say
) -> None:
    """New ones, and those who return to different places of two jobs; each hears all that it lacks, to the end."""
    count = min(COMING, most_guests)
    kinds = [visit for name in ("one", "other") for visit in await visits(await begin_talk(doors, name))]
    wanted = [kinds[at % len(kinds)] for at in range(count)]
    with open_house(tmp_path, store) as house, guests(house.url, count) as crowd:
        before, began = await reads(doors.client), time.monotonic()
        listening = [asyncio.create_task(hear_all(*each)) for each in zip(crowd, wanted, strict=True)]

        async def all_are_in() -> bool:
            return all(guest.heard_any for guest in crowd)

        await until(all_are_in)
        took, cost = time.monotonic() - began, await reads(doors.client) - before
        held = await connections(doors.client)
        for talk in {visit.talk.job_id: visit.talk for visit in kinds}.values():
            await talk.end()
        heard = await asyncio.gather(*listening)

    say(f"{count} came at once, all served in {took:.1f} s: {cost} reads of logs, {held} connections to the store")
    assert heard == [[*range(visit.first, visit.talk.seq + 1)] for visit in wanted]
    assert cost <= MOST_READS * len(kinds)
    assert held < MOST_CONNECTIONS


async def test_two_thousand_who_come_to_jobs_of_their_own_are_all_served(
    tmp_path: Path, store: ValkeyProcess, doors: Doors, most_guests: int, say: Say
) -> None:
    """Nothing is shared then: each waits for the store for as long as that answers, and in its order. A store that
    has no time for one is asked again."""
    count = min(COMING, most_guests)
    jobs = [await doors.submit() for _ in range(count)]
    with open_house(tmp_path, store) as house, guests(house.url, count) as crowd:
        began = time.monotonic()
        asked = await asyncio.gather(*(insist(*each) for each in zip(crowd, jobs, strict=True)))
        took, held = time.monotonic() - began, await connections(doors.client)

    say(f"{count} came at once to jobs of their own: {took:.1f} s, {sum(asked)} asked again, {held} connections")
    assert held < MOST_CONNECTIONS


async def insist(guest: Guest, job_id: str) -> int:
    """Ask for the job's stream until it begins; how often that was in vain."""
    in_vain = 0
    async with asyncio.timeout(2 * PATIENCE_SECONDS):
        await guest.connect()
        while True:
            await guest.send(listening(f"/v1/jobs/{job_id}/stream"))
            heard = await guest.hear(b"}")
            if not heard.startswith(BUSY):
                assert b"event: snapshot" in heard, heard
                return in_vain
            in_vain += 1


async def test_a_thousand_who_poll_at_once_cost_the_store_few_reads(
    tmp_path: Path, store: ValkeyProcess, doors: Doors, most_guests: int, say: Say
) -> None:
    """Nobody is given less than what there was when it asked."""
    count = min(LEAVING, most_guests)
    talk = await begin_talk(doors)
    await talk.say("newest")
    request = asking(f"/v1/jobs/{talk.job_id}")
    with open_house(tmp_path, store) as house, guests(house.url, count) as crowd:
        before, began = await reads(doors.client), time.monotonic()
        heard = await asyncio.gather(*(answered(guest, request) for guest in crowd))
        took, cost = time.monotonic() - began, await reads(doors.client) - before

    say(f"{count} polled at once, all answered in {took:.1f} s: {cost} reads of logs")
    assert [f'"seq":{talk.seq},'.encode() in each for each in heard] == [True] * count
    assert cost <= MOST_READS


async def answered(guest: Guest, request: bytes) -> bytes:
    """The beginning of what the guest is answered, up to what it is that the test wants to see."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await guest.ask(request)
        return await guest.hear(b'"cursor":')


async def hear_all(guest: Guest, visit: Visit) -> list[int]:
    """The numbers of all updates that the guest hears, to the end."""
    async with asyncio.timeout(2 * PATIENCE_SECONDS):
        await guest.ask(listening(f"/v1/jobs/{visit.talk.job_id}/stream", visit.place))
        heard = await guest.hear(b"event: end")
        assert b"event: end" in heard, heard
        return [int(seq) for seq in SEQ.findall(heard)]


async def visits(talk: Talk) -> Sequence[Visit]:
    """A long talk, and whoever may come to it: new, or back to places after which a replay is cheaper."""
    for _ in range(PIECES):
        await talk.say("x" * 1000)
    entries = await talk.doors.entries(talk.job_id)
    back = (entries[-1], entries[-2], entries[-PIECES // 2])
    return [
        Visit(talk, "", talk.seq),
        *(Visit(talk, str(entry.cursor), entry.seq + 1) for entry in back),
    ]


async def reads(client: Client) -> int:
    """How often the store has read or written a log; a look at who may see a job is none."""
    held = await client.info("commandstats")
    return sum(held.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in READS_OF_THE_LOG)


async def connections(client: Client) -> int:
    """How many connections the store has, the test's own among them."""
    return int((await client.info("clients"))["connected_clients"])
