"""Connections that break at any command, lose replies, or go silent."""

import asyncio
import hashlib
import random
from collections import Counter
from dataclasses import dataclass

import pytest

from jobs.connection import connect, script_text
from jobs.model import JobId
from tests.chaos.arena import LEASE_SECONDS, Arena, patiently, says
from tests.chaos.conftest import SEED, Say
from tests.chaos.invariants import broken_promises, entries_of, leftovers
from tests.chaos.storm import Plan, Storm
from tests.chaos.way import Judge, Moment, open_way
from tests.jobs.patience import until
from tests.system import Process

STEPS = 3
LOST_ONE_IN = 20
RENEW = hashlib.sha1(script_text("renew").encode(), usedforsecurity=False).hexdigest().encode()


@dataclass
class Killer:
    """Kills a worker at the nth command about a job: before the store has it, or before its reply is back."""

    worker: Process
    job_id: JobId
    moment: Moment
    nth: int

    @property
    def struck(self) -> bool:
        return self.nth == 0

    def __call__(self, moment: Moment, command: bytes, reply: bytes) -> bool:
        about = self.job_id.encode() in command + reply and RENEW not in command
        if self.struck or moment is not self.moment or not about:
            return False
        self.nth -= 1
        if self.struck:
            self.worker.kill()
        return self.struck


@pytest.mark.parametrize("moment", Moment)
async def test_a_worker_killed_at_any_command_of_a_workflow_leaves_kept_steps_kept(
    moment: Moment, arena: Arena, say: Say
) -> None:
    """At each command about a workflow of three steps its worker dies; the next one goes on from what is kept."""
    done: list[JobId] = []
    async with open_way(arena.store.url) as way:
        worker = arena.workers.start(url=way.url, lease_seconds=1)
        struck = True
        while struck:
            with way.closed():
                job_id = await arena.submit("steps", n=STEPS)
                way.judge = killer = Killer(worker, job_id, moment, len(done) + 1)
            done.append(job_id)
            await until(lambda: _is_over(killer))
            if struck := killer.struck:
                worker.start()
                await arena.ended(job_id)

    say(f"a worker killed at each of the {len(done) - 1} commands of a workflow of {STEPS} steps, when {moment.value}")
    assert len(done) > 2 * STEPS
    assert await broken_promises(arena, done) == []
    assert await leftovers(arena) == []
    for job_id in done:
        assert (await arena.snapshot(job_id))["state"] == "completed"
        assert sorted(Counter(arena.witness.acts(job_id)).values()) in ([1, 1, 1], [1, 1, 2])


async def _lost_replies_later(arena: Arena, say: Say) -> None:
    """One command in twenty, of clients and workers alike, is cut off before the store has it or before its reply."""
    async with open_way(arena.store.url) as way, connect(way.url) as client:
        lossy = Arena(arena.store, client, arena.workers, arena.witness)
        ...


async def _is_over(killer: Killer) -> bool:
    """The worker is dead, or has heard that the job's end is written."""
    return killer.struck or killer.job_id in killer.worker.output.read_text()
