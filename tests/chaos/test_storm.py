"""A storm of kills: no acknowledged job is lost, none ends twice, nothing is left behind."""

import math
import os
import random

from jobs import keys
from jobs.model import JobId
from tests.chaos.arena import Arena
from tests.chaos.conftest import SEED, Say
from tests.chaos.invariants import broken_promises, leftovers
from tests.chaos.storm import Fault, Plan, Storm
from tests.jobs.patience import until

JOBS = int(os.environ.get("JOBSTREAM_CHAOS_JOBS", "150"))


async def test_a_storm_of_kills_loses_and_doubles_nothing(arena: Arena, say: Say) -> None:
    """Of every 2,000 jobs: 40 kills of workers, 20 stops, 20 freezes, 5 kills of the store."""
    faults = {
        Fault.WORKER_KILLED: math.ceil(JOBS / 50),
        Fault.WORKER_STOPPED: math.ceil(JOBS / 100),
        Fault.WORKER_FROZEN: math.ceil(JOBS / 100),
        Fault.STORE_KILLED: math.ceil(JOBS / 400),
    }
    storm = Storm(arena, Plan.of(SEED, jobs=JOBS, faults=faults), random.Random(SEED))

    await storm.rage()

    everyone = await _everyone(arena)
    say(f"seed {SEED}: {len(storm.acked)} jobs acknowledged, {len(everyone)} run, {_told(faults)}")
    say(f"seed {SEED}: a killed worker's {len(storm.restarts)} jobs went on after {_spread(storm.restarts)}")
    await until(lambda: _nothing_left(arena))
    assert storm.broken == []
    assert await broken_promises(arena, everyone) == []
    assert await leftovers(arena) == []
    assert len(set(storm.acked)) == JOBS
    assert len(everyone) == JOBS + storm.plan.started_by_others


async def _everyone(arena: Arena) -> list[JobId]:
    """Every job that the store knows."""
    names = [name.decode() async for name in arena.client.scan_iter(f"{keys.PREFIX}*:job", count=1000)]
    return [JobId(name.removeprefix(keys.PREFIX).removesuffix(":job")) for name in names]


async def _nothing_left(arena: Arena) -> bool:
    return await leftovers(arena) == []


def _told(faults: dict[Fault, int]) -> str:
    return ", ".join(f"{times} x {fault.value}" for fault, times in faults.items())


def _spread(seconds: list[float]) -> str:
    ranked = sorted(seconds)
    return f"p50 {ranked[len(ranked) // 2]:.2f} s, p95 {ranked[len(ranked) * 95 // 100]:.2f} s, max {ranked[-1]:.2f} s"
