"""A storm: clients who submit and wait, while workers and the store are struck by a schedule that a seed decides."""

import asyncio
import random
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

import orjson
from pydantic import JsonValue

from jobs.clock import MICROSECONDS
from jobs.model import JobId, JsonObject
from tests.chaos.arena import ENDED, Arena, ended_by, frozen, patiently
from tests.chaos.invariants import broken_promises, entries_of
from tests.chaos.kinds import CHILDREN, spoken
from tests.jobs.patience import until
from tests.system import Process

CLIENTS = 16
WORKERS = 3
PATIENCE_SECONDS = 120.0
SEARCH_SECONDS = 10.0
PAUSE_SECONDS = 0.05

MIX = {"noop": 6, "steps": 6, "talk": 3, "nap": 2, "family": 2, "herald": 1}
"""How many of twenty jobs are of each kind."""


class Fault(Enum):
    """What befalls the system."""

    WORKER_KILLED = "a worker killed"
    WORKER_STOPPED = "a worker told to stop"
    WORKER_FROZEN = "a worker frozen for longer than its leases"
    STORE_KILLED = "the store killed"


@dataclass(frozen=True)
class Task:
    """A job of the plan."""

    kind: str
    n: int
    pause: float

    def is_done(self, snapshot: JsonObject) -> bool:
        """Whether the job did what it was told, in its first attempt: losing a worker takes none away."""
        done: bool = snapshot["state"] == "completed" and snapshot["attempt"] == 1
        return done and self._fits(snapshot["result"])

    def _fits(self, result: JsonValue) -> bool:
        match self.kind:
            case "noop":
                return result == self.n
            case "steps":
                return result == [f"step-{at}" for at in range(self.n)]
            case "talk":
                return result == "".join(spoken(self.n))
            case "nap":
                return result == "after"
            case "family":
                return result == [*range(CHILDREN)]
        return isinstance(result, str)


@dataclass(frozen=True)
class Plan:
    """What a storm will do: the jobs in their order, and after how many acknowledged ones each fault comes."""

    seed: int
    tasks: list[Task]
    faults: list[tuple[int, Fault]]

    @classmethod
    def of(cls, seed: int, *, jobs: int, faults: Mapping[Fault, int]) -> "Plan":
        """The plan of this seed, the same one each time."""
        chance = random.Random(seed)  # a storm must be able to happen again
        kinds = chance.choices([*MIX], [*MIX.values()], k=jobs)
        tasks = [Task(kind, chance.randint(1, 4), round(chance.uniform(0.01, 0.15), 3)) for kind in kinds]
        due = [fault for fault, times in faults.items() for _ in range(times)]
        chance.shuffle(due)
        apart = jobs // (len(due) + 1)
        return cls(seed, tasks, [(apart * at + chance.randint(1, apart // 2), fault) for at, fault in enumerate(due)])

    @property
    def started_by_others(self) -> int:
        """How many jobs come of these without being submitted: children, and what hears an event."""
        kinds = [task.kind for task in self.tasks]
        return CHILDREN * kinds.count("family") + kinds.count("herald")


@dataclass
class Storm:
    """One storm over one arena, and what was seen of it."""

    arena: Arena
    plan: Plan
    lease_seconds: float
    acked: list[JobId] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    suspects: list[JobId] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.plan.seed)  # a storm must be able to happen again
        self._workers = [self.arena.workers.start(lease_seconds=self.lease_seconds) for _ in range(WORKERS)]
        self._left = iter(enumerate(self.plan.tasks))
        self._due = [*self.plan.faults]
        self._ahead = 0

    async def rage(self) -> None:
        """Return when every fault has come, and every job has ended and has been looked at."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._strike_when_due(tasks))
            for _ in range(CLIENTS):
                tasks.create_task(self._be_client())

    async def _be_client(self) -> None:
        for number, task in self._left:
            await until(partial(self._may_go_on, number), seconds=PATIENCE_SECONDS)
            await self._see_through(number, task)

    async def _see_through(self, number: int, task: Task) -> None:
        """Submit a job, wait for its end, and look at it. Whoever is not answered asks again with the same key."""
        key = f"task-{number}"
        submit = partial(self.arena.submit, task.kind, n=task.n, pause=task.pause, idempotency_key=key)
        job_id = await patiently(submit)
        self.acked.append(job_id)
        snapshot = await self._ended(job_id)
        if snapshot["error"] and snapshot["error"]["type"] == "poison":  # three faults in a row hit it
            self.suspects.append(job_id)
            await patiently(partial(self.arena.queue.retry, job_id))
            snapshot = await self._ended(job_id)
        if not task.is_done(snapshot):
            self.broken.append(f"{job_id}: {task} ended as {snapshot}")
        self.broken += await patiently(partial(broken_promises, self.arena, [job_id]))

    async def _ended(self, job_id: JobId) -> JsonObject:
        await until(partial(self.arena.is_in, job_id, *ENDED), seconds=PATIENCE_SECONDS)
        return await patiently(partial(self.arena.snapshot, job_id))

    async def _may_go_on(self, number: int) -> bool:
        """The clients do not run ahead of the faults, or nobody would be there to suffer them."""
        return not self._due or number <= max(self._due[0][0], self._ahead)

    async def _strike_when_due(self, tasks: asyncio.TaskGroup) -> None:
        few = len(self.plan.tasks) // (2 * len(self.plan.faults) + 2)
        while self._due:
            moment, fault = self._due[0]
            await until(partial(self._have_acked, moment), seconds=PATIENCE_SECONDS)
            self._ahead = len(self.acked) + few
            await self._strike(fault, tasks)
            del self._due[0]

    async def _have_acked(self, jobs: int) -> bool:
        return len(self.acked) >= jobs

    async def _strike(self, fault: Fault, tasks: asyncio.TaskGroup) -> None:
        if fault is Fault.STORE_KILLED:
            self.arena.store.kill()
            await asyncio.sleep(self._chance.uniform(0, 1))
            self.arena.store.start()
            return
        worker, held = await self._busy_worker()
        match fault:
            case Fault.WORKER_KILLED:
                seconds, us = await patiently(self.arena.now)
                worker.kill()
                worker.start()
                for job_id in held:
                    tasks.create_task(self._time_restart(job_id, seconds * MICROSECONDS + us))
            case Fault.WORKER_STOPPED:
                await ended_by(worker, signal.SIGTERM)
                worker.start()
            case Fault.WORKER_FROZEN:
                with frozen(worker):
                    await asyncio.sleep(1.5 * self.lease_seconds)

    async def _busy_worker(self) -> tuple[Process, list[JobId]]:
        """A worker that holds jobs, and which; any, if none comes to hold one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SEARCH_SECONDS):
                while True:
                    for worker in self._chance.sample(self._workers, WORKERS):
                        if held := await patiently(partial(self.arena.held_by, worker.pid)):
                            return worker, held
        return self._workers[0], []

    async def _time_restart(self, job_id: JobId, killed_us: int) -> None:
        """Note how long after the kill another worker had the job; one that had just ended needs none."""
        while True:
            ended = await self.arena.is_in(job_id, *ENDED)
            for entry in await patiently(partial(entries_of, self.arena, job_id)):
                if entry.cursor.us > killed_us and orjson.loads(entry.body).get("state") == "running":
                    self.restarts.append((entry.cursor.us - killed_us) / MICROSECONDS)
                    return
            if ended:
                return
            await asyncio.sleep(PAUSE_SECONDS)
