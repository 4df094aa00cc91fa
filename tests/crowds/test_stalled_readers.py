"""Readers who take nothing: they cost little, they are closed, and nobody else is the worse for them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import cycle
from pathlib import Path

from jobs.updates import Cursor
from tests.api import Api
from tests.crowds.guests import SMALLEST_BUFFER, guests, listening, opening
from tests.crowds.house import House, open_house
from tests.crowds.talk import Talk, begin_talk
from tests.figures import Say
from tests.jobs.doors import Doors
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.system import SECRET
from tests.valkey import ValkeyProcess

STALLED = 201
READERS = 8
PIECES = 300
PIECE = "x" * 8000
SEND_SECONDS = 8
MEBIBYTE = 1024 * 1024
MOST_IN_ALL = 60 * MEBIBYTE
MOST_FOR_ONE = 40 * MEBIBYTE
"""For a snapshot of a few MiB, parsed and encoded and before and after."""

MOST_EACH = MEBIBYTE // 4


class Reader:
    """Somebody who takes all that comes, and notes when."""

    def __init__(self) -> None:
        self.came_at: dict[int, float] = {}
        self._came = asyncio.Event()

    async def read(self, url: str, job_id: str) -> None:
        """Follow the job to its end."""
        async with Api(url, SECRET) as api, aclosing(api.listen(job_id)) as events:
            async for event in events:
                if event.id is not None:
                    self.came_at[Cursor.parse(event.id).seq] = time.monotonic()
                    self._came.set()

    async def hears(self, seq: int) -> None:
        """Return when the update has come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while seq not in self.came_at:
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def reading(house: House, talk: Talk) -> AsyncIterator[list[Reader]]:
    """Readers of the job, who have all come; they have heard the end when the block ends."""
    readers = [Reader() for _ in range(READERS)]
    async with asyncio.TaskGroup() as tasks:
        for reader in readers:
            tasks.create_task(reader.read(house.url, talk.job_id))
        for reader in readers:
            await reader.hears(talk.seq)
        yield readers


async def lateness(house: House, talk: Talk) -> list[float]:
    """How late each piece of a long talk came to each of its readers, who have heard every one."""
    told_at: dict[int, float] = {}
    async with reading(house, talk) as readers:
        first = talk.seq
        for _ in range(PIECES):
            begun = time.monotonic()
            told_at[seq := await talk.say(PIECE)] = begun
            for reader in readers:
                await reader.hears(seq)
        last = await talk.end()
    for reader in readers:
        assert sorted(reader.came_at) == [*range(first, last + 1)]
    return [reader.came_at[seq] - at for seq, at in told_at.items() for reader in readers]


def ways(talk: Talk) -> list[bytes]:
    """The requests for the job, in each way that there is."""
    return [
        listening(f"/v1/jobs/{talk.job_id}/stream"),
        listening(f"/v1/stream?job={talk.job_id}"),
        opening(f"/v1/jobs/{talk.job_id}/ws"),
    ]


async def test_two_hundred_stalled_readers_cost_little_and_are_closed(
    tmp_path: Path, store: ValkeyProcess, doors: Doors, say: Say
) -> None:
    """They take nothing of a job that writes far more than any buffer holds; others hear all of it meanwhile."""
    with open_house(tmp_path, store, jobstream_send_seconds=SEND_SECONDS) as house:
        alone = await lateness(house, await begin_talk(doors, "alone"))
        await until(lambda: serves(house, 0))
        before, talk = house.memory, await begin_talk(doors, "crowded")
        with guests(house.url, STALLED, buffer=SMALLEST_BUFFER) as stalled:
            for guest, request in zip(stalled, cycle(ways(talk)), strict=False):
                await guest.ask(request)
            await until(lambda: serves(house, STALLED))

            crowded = await lateness(house, talk)
            kept = house.unacknowledged
            await until(lambda: serves(house, 0))
        grown = house.most_memory - before

    say(
        f"{STALLED} stalled readers: {grown / MEBIBYTE:.1f} MiB, and {kept / MEBIBYTE:.1f} MiB of the kernel's; "
        f"p99 of the others {p99(crowded)}, {p99(alone)} without them"
    )
    assert grown < MOST_IN_ALL
    assert kept < STALLED * MOST_EACH


async def test_two_hundred_who_stand_still_in_a_long_snapshot_share_it(
    tmp_path: Path, store: ValkeyProcess, doors: Doors, say: Say
) -> None:
    """Each has what it is being sent, and none a copy of the whole."""
    with open_house(tmp_path, store, jobstream_send_seconds=SEND_SECONDS) as house:
        talk = await begin_talk(doors)
        for _ in range(PIECES):
            await talk.say(PIECE)
        sse, multiplexed, _ = ways(talk)
        before = house.memory
        with guests(house.url, STALLED, buffer=SMALLEST_BUFFER) as stalled:
            for at, guest in enumerate(stalled):
                await guest.ask(sse if at % 2 else multiplexed)
            await until(lambda: serves(house, STALLED))
            await until(lambda: serves(house, 0))
        grown = house.most_memory - before

    say(f"{STALLED} stalled in a snapshot of {talk.said / MEBIBYTE:.1f} MiB: {grown / MEBIBYTE:.1f} MiB")
    assert grown < MOST_IN_ALL + MOST_FOR_ONE


async def serves(house: House, count: int) -> bool:
    """Whether it has so many clients."""
    return house.clients == count


def p99(lateness: list[float]) -> str:
    return f"{sorted(lateness)[int(len(lateness) * 0.99)] * 1000:.1f} ms"
