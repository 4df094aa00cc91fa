"""What the contenders' programs share: what they are told, and what they measure.

The standard library alone, since each runs in an environment of its own."""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

SLOTS = 50
"""How many jobs each worker that is tuned runs at once: the product's own default."""

AT_ONCE = 16
"""How many submissions are under way at the same time when many are wanted."""

WARM_UP = 10
GAPS_SECONDS = (0.02, 0.08)
SETTLE_SECONDS = 2.0
POLL_SECONDS = 0.002
PATIENCE_SECONDS = 120.0

Begin = Callable[[float], None]
Submit = Callable[[float, float], Awaitable[object]]
"""Submits a job that carries the first number, to begin after the second, in seconds."""

NewLoop = Callable[[], asyncio.AbstractEventLoop]


@dataclass(frozen=True)
class Store:
    """Where the jobs are kept; `tuned`: with our number of slots and our event loop, not as the engine comes."""

    url: str
    tuned: bool


class Contender(Protocol):
    """One engine, whose jobs do nothing but call `begin` with the number that they carry."""

    def __init__(self, store: Store) -> None: ...

    def submitting(self) -> AbstractAsyncContextManager[Submit]: ...

    def working(self, begin: Begin) -> AbstractAsyncContextManager[None]: ...

    async def unfinished(self) -> int:
        """How many jobs the store still holds for a worker; asked while one works."""


@dataclass
class Meter:
    """Sees each job begin; the clock is the machine's, so that what one process sent counts in another.

    No two jobs carry the same number, so one that begins twice is told from two."""

    expected: int
    waits: dict[float, float] = field(default_factory=dict)
    repeats: int = 0
    first_at: float = 0.0
    cpu_before: float = 0.0
    warm: asyncio.Event = field(default_factory=asyncio.Event)
    all_begun: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, sent: float) -> None:
        """What each job calls."""
        now = time.monotonic()
        if sent in self.waits:
            self.repeats += 1
            return
        if not self.waits:
            self.first_at, self.cpu_before = now, time.process_time()
        self.waits[sent] = now - sent
        if len(self.waits) == WARM_UP:
            self.warm.set()
        if len(self.waits) == self.expected:
            self.all_begun.set()


def main(contender: type[Contender], *, loop: NewLoop | None = None, tuned_loop: NewLoop | None = None) -> None:
    """Do what the command line says; print what was measured as one line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=[*_COMMANDS])
    parser.add_argument("url")
    parser.add_argument("count", type=int)
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--delay", type=float, default=0.0)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=tuned_loop if given.tuned else loop) as runner:
        engine = contender(Store(given.url, tuned=given.tuned))
        print(json.dumps(runner.run(_COMMANDS[given.command](engine, given.count, given.delay))), flush=True)


async def _fill(engine: Contender, count: int, delay: float) -> dict[str, Any]:
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


async def _trickle(engine: Contender, count: int, delay: float) -> dict[str, Any]:
    """Submit one job after another, with random gaps."""
    async with engine.submitting() as submit:
        for _ in range(count):
            await asyncio.sleep(random.uniform(*GAPS_SECONDS))
            await submit(time.monotonic(), delay)
        return {}


async def _drain(engine: Contender, count: int, _: float) -> dict[str, Any]:
    """Work until every job that was submitted before has begun and ended; from the first begin to the last end."""
    meter = Meter(count)
    async with engine.working(meter.begin), asyncio.timeout(PATIENCE_SECONDS):
        await meter.all_begun.wait()
        while await engine.unfinished():  # noqa: ASYNC110  # it is in another process
            await asyncio.sleep(POLL_SECONDS)
        seconds = time.monotonic() - meter.first_at
        cpu_seconds = time.process_time() - meter.cpu_before
        return {"seconds": seconds, "cpu_seconds": cpu_seconds, "repeats": meter.repeats}


async def _answer(engine: Contender, count: int, _: float) -> dict[str, Any]:
    """Work until so many jobs have begun; how long each had waited, without those that warmed it up."""
    meter = Meter(WARM_UP + count)
    async with engine.working(meter.begin), asyncio.timeout(PATIENCE_SECONDS):
        await meter.warm.wait()
        print("warm", flush=True)
        await meter.all_begun.wait()
        return {"waits": [*meter.waits.values()][WARM_UP:]}


async def _idle(engine: Contender, seconds: int, _: float) -> dict[str, Any]:
    """Work on nothing; how much of a core it takes."""
    async with engine.working(Meter(0).begin):
        await asyncio.sleep(SETTLE_SECONDS)
        before = time.process_time()
        await asyncio.sleep(seconds)
        return {"cpu": (time.process_time() - before) / seconds}


_COMMANDS = {"fill": _fill, "trickle": _trickle, "drain": _drain, "answer": _answer, "idle": _idle}
