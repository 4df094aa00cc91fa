"""A storm of kills: no acknowledged job is lost, none ends twice, nothing is left behind."""

import math
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.arena import LEASE_SECONDS, Arena, open_arena
from tests.chaos.conftest import SEED
from tests.chaos.invariants import broken_promises, lasting_leftovers
from tests.chaos.storm import Fault, Plan, Storm
from tests.figures import Say

JOBS = int(os.environ.get("JOBSTREAM_CHAOS_JOBS", "100"))
LEASE = float(os.environ.get("JOBSTREAM_CHAOS_LEASE", str(LEASE_SECONDS)))


@pytest.fixture
async def strict_arena(tmp_path: Path) -> AsyncIterator[Arena]:
    """An arena whose store acknowledges nothing that is not on disk: one that syncs every second holds writes back
    while the disk is busy, and loses them if it is killed just then."""
    async with open_arena(tmp_path, "--appendfsync", "always") as arena:
        yield arena


async def test_a_storm_of_kills_loses_and_doubles_nothing(strict_arena: Arena, say: Say) -> None:
    """Of every 2,000 jobs: 40 kills of workers, 20 stops, 20 freezes, 5 kills of the store."""
    faults = {
        Fault.WORKER_KILLED: math.ceil(JOBS / 50),
        Fault.WORKER_STOPPED: math.ceil(JOBS / 100),
        Fault.WORKER_FROZEN: math.ceil(JOBS / 100),
        Fault.STORE_KILLED: math.ceil(JOBS / 400),
    }
    storm = Storm(strict_arena, Plan.of(SEED, jobs=JOBS, faults=faults), LEASE)

    await storm.rage()

    everyone = await strict_arena.everyone()
    say(f"seed {SEED}: {len(storm.acked)} jobs acknowledged, {len(everyone)} run, {_told(faults)}")
    say(f"seed {SEED}: {len(storm.suspects)} hit three times in a row, and taken for poison until retried by hand")
    say(f"seed {SEED}: {len(storm.restarts)} jobs of killed workers, with another after {_spread(storm.restarts)}")
    assert await lasting_leftovers(strict_arena) == []
    assert storm.broken == []
    assert await broken_promises(strict_arena, everyone) == []
    assert len(set(storm.acked)) == JOBS
    assert len(everyone) == JOBS + storm.plan.started_by_others


def _told(faults: dict[Fault, int]) -> str:
    return ", ".join(f"{times} x {fault.value}" for fault, times in faults.items())


def _spread(seconds: list[float]) -> str:
    ranked = sorted(seconds)
    p50, p95 = ranked[len(ranked) // 2], ranked[len(ranked) * 95 // 100]
    return f"p50 {p50:.2f} s, p95 {p95:.2f} s, max {ranked[-1]:.2f} s"
