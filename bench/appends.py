"""Flushes of many jobs into their logs: how many one worker process makes in a second, and what each costs."""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from jobs.connection import Client, connect
from jobs.kind import AnyKind
from jobs.leases import Claim
from tests.jobs.doors import Doors, idle_kind
from tests.jobs.lines import begun, wrote
from tests.valkey import ValkeyProcess, running_valkey

PART = "openai"
TEXT = "a word or " * 16
LEASE_SECONDS = 600.0


async def main(writers: int, seconds: float) -> None:
    """Print what came of it."""
    with tempfile.TemporaryDirectory() as folder, running_valkey(Path(folder)) as store:
        async with connect(store.url) as client:
            await measure(store, client, writers, seconds)


async def measure(store: ValkeyProcess, client: Client, writers: int, seconds: float) -> None:
    """So many jobs write as fast as they may, for so long."""
    doors = Doors(client, lease_seconds=LEASE_SECONDS)
    claims = await running(doors, idle_kind("written"), writers)
    ours, stores, began = time.process_time(), processor_seconds(store.pid), time.monotonic()
    counts = await asyncio.gather(*(write(doors, claim, began + seconds) for claim in claims))
    took, flushes = time.monotonic() - began, sum(counts)
    print(
        f"{flushes / took:,.0f} flushes/s of {writers} jobs; of each flush, "
        f"{(time.process_time() - ours) / flushes * 1e6:.0f} us of the worker's processor and "
        f"{(processor_seconds(store.pid) - stores) / flushes * 1e6:.0f} us of the store's"
    )


async def running(doors: Doors, kind: AnyKind, count: int) -> Sequence[Claim]:
    """So many jobs in the bench's hands, each with a part that has begun."""
    for _ in range(count):
        await doors.submit(kind)
    claims = await doors.claim(kind.name, slots=count, kinds=[kind])
    for claim in claims:
        await doors.log.append(claim.job_id, [begun(PART)], token=claim.token, flush=1)
    return claims


async def write(doors: Doors, claim: Claim, until: float) -> int:
    """Flush one delta after the other; how many."""
    count = 0
    while time.monotonic() < until:
        line = wrote(PART, TEXT, at=count * len(TEXT))
        await doors.log.append(claim.job_id, [line], token=claim.token, flush=count + 2)
        count += 1
    return count


def processor_seconds(pid: int) -> float:
    """How long the process has been at work."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.appends", description=__doc__)
    parser.add_argument("--writers", type=int, default=50, help="jobs that write at once")
    parser.add_argument("--seconds", type=float, default=3.0, help="for how long")
    given = parser.parse_args()
    uvloop.run(main(given.writers, given.seconds))
