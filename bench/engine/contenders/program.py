"""What the contenders' programs share: what they are told, and what they measure. The standard library alone, since
each runs in an environment of its own."""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

AT_ONCE = 16
GAPS_SECONDS = (0.02, 0.08)
SETTLE_SECONDS = 2.0
POLL_SECONDS = 0.002
PATIENCE_SECONDS = 120.0

Begin = Callable[[float], None]
Submit = Callable[[float, float], Awaitable[object]]
"""Submits a job that carries the first number, to begin after the second, in seconds."""


@dataclass(frozen=True)
class Store:
    """Where the jobs are kept; `best`: with the settings that suit this measurement, not as the engine comes."""

    url: str
    best: bool


class Contender(Protocol):
    """One engine, whose jobs do nothing but call `begin` with the number that they carry."""

    def __init__(self, store: Store) -> None: ...

    def submitting(self) -> AbstractAsyncContextManager[Submit]: ...

    def working(self, begin: Begin) -> AbstractAsyncContextManager[None]: ...

    async def unfinished(self) -> int:
        """How many jobs the store still holds for a worker; asked while one works."""


@dataclass
class Meter:
    """Sees each job begin; the clock is the machine's, so that what one process sent counts in another."""

    expected: int
    waits: list[float] = field(default_factory=list)
    first: float = 0.0
    first_cpu: float = 0.0
    all_begun: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, sent: float) -> None:
        """What each job calls."""
        now = time.monotonic()
        if not self.waits:
            self.first, self.first_cpu = now, time.process_time()
        self.waits.append(now - sent)
        if len(self.waits) == self.expected:
            self.all_begun.set()


def main(contender: type[Contender], loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
    """Do what the command line says; print what was measured as one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=[*_COMMANDS])
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    parser.add_argument("--best", action="store_true")
    parser.add_argument("--delay", type=float, default=0.0)
    given = parser.parse_args()
    command = _COMMANDS[given.command]
    with asyncio.Runner(loop_factory=loop_factory if given.best else None) as runner:
        engine = contender(Store(given.url, best=given.best))
        print(json.dumps(runner.run(command(engine, given.count, given.delay))), flush=True)


async def _fill(engine: Contender, count: int, delay: float) -> dict[str, float]:
    """Submit the jobs, some at once; how long it took."""
    async with engine.submitting() as submit:
        began = time.monotonic()
        left = iter(range(count))

        async def some() -> None:
            for _ in left:
                await submit(time.monotonic(), delay)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(some())
        return {"seconds": time.monotonic() - began}


async def _trickle(engine: Contender, count: int, delay: float) -> dict[str, float]:
    """Submit one job after another, with random gaps."""
    async with engine.submitting() as submit:
        for _ in range(count):
            await asyncio.sleep(random.uniform(*GAPS_SECONDS))
            await submit(time.monotonic(), delay)
        return {}


async def _drain(engine: Contender, count: int, _: float) -> dict[str, float]:
    """Work until the jobs that were submitted before have ended; from the first one's begin to the last one's end."""
    meter = Meter(count)
    async with engine.working(meter.begin), asyncio.timeout(PATIENCE_SECONDS):
        await meter.all_begun.wait()
        while await engine.unfinished():
            await asyncio.sleep(POLL_SECONDS)
        return {"seconds": time.monotonic() - meter.first, "cpu_seconds": time.process_time() - meter.first_cpu}


async def _answer(engine: Contender, count: int, _: float) -> dict[str, list[float]]:
    """Work until so many jobs have begun; how long each had waited."""
    meter = Meter(count)
    async with engine.working(meter.begin), asyncio.timeout(PATIENCE_SECONDS):
        await meter.all_begun.wait()
        return {"waits": meter.waits}


async def _idle(engine: Contender, seconds: int, _: float) -> dict[str, float]:
    """Work on nothing; how much of a core it takes."""
    async with engine.working(Meter(1).begin):
        await asyncio.sleep(SETTLE_SECONDS)
        before = time.process_time()
        await asyncio.sleep(seconds)
        return {"cpu": (time.process_time() - before) / seconds}


_COMMANDS = {"fill": _fill, "trickle": _trickle, "drain": _drain, "answer": _answer, "idle": _idle}
