"""`python -m bench.engine.steps URL COUNT`: how long a job takes for a step whose result is kept."""

import asyncio
import json
import sys
import time

import uvloop
from pydantic import BaseModel

from bench.engine.product import working
from jobs.connection import connect
from jobs.kind import Kind, Run
from jobs.queue import Queue, Submission

PATIENCE_SECONDS = 60.0


class Nothing(BaseModel):
    """The input of a job that needs none."""


async def seconds_of(url: str, count: int) -> float:
    """What one job takes for so many steps that do nothing, one after the other."""
    taken: asyncio.Queue[float] = asyncio.Queue()

    async def nothing() -> int:
        return 1

    async def perform(run: Run, _: Nothing) -> None:
        began = time.monotonic()
        for number in range(count):
            await run.step(f"step-{number}", nothing)
        taken.put_nowait(time.monotonic() - began)

    kind = Kind("steps", Nothing, perform, "Takes steps.")
    async with connect(url) as client, working(url, kind):
        await Queue(client).submit(Submission(kind=kind, input={}))
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await taken.get()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps({"seconds": runner.run(seconds_of(sys.argv[1], int(sys.argv[2])))}))
