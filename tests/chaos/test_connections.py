"""Connections that break at any command, lose replies, or go silent."""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, replace

import pytest

from jobs.connection import connect, script_text
from jobs.model import JobId
from tests.chaos.arena import LEASE_SECONDS, Arena, says
from tests.chaos.conftest import SEED
from tests.chaos.invariants import broken_promises, lasting_leftovers, leftovers
from tests.chaos.storm import Plan, Storm
from tests.chaos.way import Moment, Way, open_way
from tests.figures import Say
from tests.jobs.patience import until
from tests.system import Process

STEPS = 3
LOSSY_JOBS = 60
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

    async def is_over(self) -> bool:
        """Whether the worker is dead, or has heard that the job's end is written."""
        said = self.worker.output.read_text().splitlines()
        return self.struck or any(self.job_id in line and "job attempt ended" in line for line in said)


@pytest.mark.parametrize("moment", Moment)
async def test_a_worker_killed_at_any_command_of_a_workflow_leaves_kept_steps_kept(
    moment: Moment, arena: Arena, say: Say
) -> None:
    """At each command about a workflow of three steps its worker dies; the next one goes on from what is kept."""
    killed: list[JobId] = []
    async with open_way(arena.store.url) as way:
        worker = arena.workers.through(way.url).start(lease_seconds=1)
        while (killer := await _run_and_kill(arena, way, worker, moment, len(killed) + 1)).struck:
            worker.start()
            await arena.ended(killer.job_id)
            killed.append(killer.job_id)

    say(f"{len(killed)} commands of a workflow of {STEPS} steps, its worker killed at each when {moment.value}")
    assert len(killed) > 2 * STEPS
    assert await broken_promises(arena, killed) == []
    assert await leftovers(arena) == []
    for job_id in killed:
        assert (await arena.snapshot(job_id))["state"] == "completed"
        assert sorted(Counter(arena.witness.acts(job_id)).values()) in ([1, 1, 1], [1, 1, 2])


async def test_lost_replies_lose_and_double_nothing(arena: Arena, say: Say) -> None:
    """One command in twenty, of clients and workers alike, breaks its connection before or after the store has it."""
    chance = random.Random(SEED)  # a storm must be able to happen again
    lost: Counter[Moment] = Counter()

    def lose(moment: Moment, _command: bytes, _reply: bytes) -> bool:
        if chance.randrange(2 * LOST_ONE_IN):
            return False
        lost[moment] += 1
        return True

    async with open_way(arena.store.url) as way, connect(way.url) as client:
        way.judge = lose
        lossy = replace(arena, client=client, workers=arena.workers.through(way.url))
        storm = Storm(lossy, Plan.of(SEED, jobs=LOSSY_JOBS, faults={}), LEASE_SECONDS)
        await storm.rage()

    say(f"{LOSSY_JOBS} jobs, {lost[Moment.BEFORE]} commands and {lost[Moment.AFTER]} replies lost")
    assert await lasting_leftovers(arena) == []
    assert storm.broken == []
    assert len(set(storm.acked)) == LOSSY_JOBS
    assert len(await arena.everyone()) == LOSSY_JOBS + storm.plan.started_by_others


async def test_a_worker_that_was_cut_off_past_its_lease_does_not_disturb_the_next_one(arena: Arena) -> None:
    """What it sent in vain comes while the other one is in the middle of its job, and is refused."""
    async with open_way(arena.store.url) as way:
        lonely = arena.workers.through(way.url).start()
        job_id = await arena.submit("steps", n=20, pause=0.1)
        await arena.acted(job_id, times=3)
        with way.closed():
            arena.workers.start()
            await arena.logged(job_id, "state", times=3)
        await says(lonely, '"outcome": "Lost"')
        ended = await arena.ended(job_id)

    assert (ended["state"], ended["attempt"]) == ("completed", 1)
    assert await broken_promises(arena, [job_id]) == []
    assert await leftovers(arena) == []


async def _run_and_kill(arena: Arena, way: Way, worker: Process, moment: Moment, nth: int) -> Killer:
    """A workflow that is over, or whose worker was killed at the nth command about it."""
    with way.closed():
        job_id = await arena.submit("steps", n=STEPS)
        way.judge = killer = Killer(worker, job_id, moment, nth)
    await until(killer.is_over)
    return killer
