"""Turns at the store's connections: who gets the next one, and when somebody gives up."""

import asyncio

import pytest

from jobs.turns import Turns
from tests.service.hasty import run_hastily

SECONDS = 1.0


async def holding(turns: Turns, name: str, served: list[str], *, seconds: float, well: bool = True) -> None:
    """Take a turn, and hold it for so long."""
    await turns.take()
    served.append(name)
    await asyncio.sleep(seconds)
    turns.end(well=well)


def test_whoever_came_first_is_served_first_however_many_come_later() -> None:
    """Also one who comes in the very moment when a turn is free."""

    async def scene() -> list[str]:
        turns, served = Turns(1, seconds=SECONDS), list[str]()
        async with asyncio.TaskGroup() as tasks:
            for name in "abc":
                tasks.create_task(holding(turns, name, served, seconds=0.1))
            await asyncio.sleep(0.1)
            tasks.create_task(holding(turns, "d", served, seconds=0.1))
        return served

    assert run_hastily(scene()) == [*"abcd"]


def test_a_crowd_waits_for_as_long_as_it_is_served() -> None:
    """However long that takes for the last of it."""

    async def scene() -> int:
        turns, served = Turns(2, seconds=SECONDS), list[str]()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(100):
                tasks.create_task(holding(turns, "x", served, seconds=0.9 * SECONDS))
        return len(served)

    assert run_hastily(scene()) == 100


def test_nobody_waits_where_no_turn_ends_well() -> None:
    """Nor for those whose calls have failed."""

    async def scene() -> list[float]:
        turns, clock = Turns(1, seconds=SECONDS), asyncio.get_running_loop().time
        waited = []
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(holding(turns, "x", [], seconds=SECONDS / 2, well=False))
            tasks.create_task(holding(turns, "y", [], seconds=10 * SECONDS, well=False))
            await asyncio.sleep(0)
            for _ in range(3):
                began = clock()
                with pytest.raises(TimeoutError):
                    await turns.take()
                waited.append(clock() - began)
        return waited

    assert run_hastily(scene()) == pytest.approx([SECONDS] * 3, abs=0.01)


def test_whoever_gives_up_leaves_its_turn_to_the_next() -> None:
    """Also where the turn had come in that very moment."""

    async def scene() -> list[str]:
        turns, served = Turns(1, seconds=SECONDS), list[str]()
        await turns.take()
        async with asyncio.TaskGroup() as tasks:
            leaving = [tasks.create_task(holding(turns, name, served, seconds=0.1)) for name in ("early", "late")]
            tasks.create_task(holding(turns, "next", served, seconds=0.1))
            await asyncio.sleep(0.1)
            leaving[0].cancel()
            turns.end(well=True)
            leaving[1].cancel()
        return served

    assert run_hastily(scene()) == ["next"]
