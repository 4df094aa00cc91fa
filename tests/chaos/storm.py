"""A storm: clients who submit and wait, while workers and the store are struck by a schedule that a seed decides."""

import asyncio
import random
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from pydantic import JsonValue

from jobs.clock import MICROSECONDS
from jobs.errors import StoreUnavailable
from jobs.model import JobId
from tests.chaos.arena import ENDED, LEASE_SECONDS, Arena, ended_by, frozen, patiently
from tests.chaos.invariants import broken_promises, entries_of
from tests.chaos.kinds import CHILDREN, spoken
from tests.jobs.patience import until
from tests.system import Process

CLIENTS = 24
WORKERS = 3
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.05

MIX = {"noop": 6, "steps": 6, "talk": 3, "nap": 2, "family": 2, "herald": 1}
"""How many of twenty jobs are of each kind."""


class Fault(Enum):
    """What befalls the system."""

    WORKER_KILLED = "a worker is killed in the middle of its jobs"
    WORKER_STOPPED = "a worker is told to stop in the middle of its jobs"
    WORKER_FROZEN = "a worker stands still for longer than its leases, and then goes on"
    STORE_KILLED = "the store is killed, and started again"


@dataclass(frozen=True)
class Task:
    """A job of the plan."""

    kind: str
    n: int
    pause: float

    def fits(self, result: JsonValue) -> bool:
        """Whether that is what such a job returns."""
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

    tasks: list[Task]
    faults: dict[int, Fault]

    @classmethod
    def of(cls, seed: int, *, jobs: int, faults: Mapping[Fault, int]) -> "Plan":
        """The plan of this seed, the same one each time."""
        chance = random.Random(seed)
        kinds = chance.choices([*MIX], [*MIX.values()], k=jobs)
        tasks = [Task(kind, chance.randint(1, 4), round(chance.uniform(0.01, 0.15), 3)) for kind in kinds]
        due = [fault for fault, times in faults.items() for _ in range(times)]
        return cls(tasks, dict(sorted(zip(chance.sample(range(jobs), len(due)), due, strict=True))))

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
    chance: random.Random
    acked: list[JobId] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._workers = [self.arena.workers.start() for _ in range(WORKERS)]
        self._left = iter(enumerate(self.plan.tasks))
        self._due = [*self.plan.faults.items()]
        self._ahead = CLIENTS

    async def rage(self) -> None:
        """Return when every fault has come, and every job has ended and has been looked at."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._strike(tasks))
            for _ in range(CLIENTS):
                tasks.create_task(self._be_client())

    async def _be_client(self) -> None:
        """Submit a job, wait for its end, look at it, take the next."""
        for number, task in self._left:
            await until(lambda: self._may_go_on(number), seconds=PATIENCE_SECONDS)
            job_id = await patiently(lambda: self._submit(number, task))
            self.acked.append(job_id)
            await until(lambda: self.arena.is_in(job_id, *ENDED), seconds=PATIENCE_SECONDS)
            snapshot = await patiently(lambda: self.arena.snapshot(job_id))
            if not (snapshot["state"] == "completed" and task.fits(snapshot["result"])):
                self.broken.append(f"{job_id}: {task} ended {snapshot['state']}, {snapshot['error']}")
            self.broken += await patiently(lambda: broken_promises(self.arena, [job_id]))

    async def _submit(self, number: int, task: Task) -> JobId:
        """A client who is not answered asks again with the same key."""
        return await self.arena.submit(task.kind, n=task.n, pause=task.pause, idempotency_key=f"task-{number}")

    async def _strike(self, tasks: asyncio.TaskGroup) -> None:
        while self._due:
            moment, fault = self._due[0]
            await until(lambda: self._has_acked(moment), seconds=PATIENCE_SECONDS)
            self._ahead = len(self.acked) + CLIENTS
            match fault:
                case Fault.STORE_KILLED:
                    await self._kill_store()
                case Fault.WORKER_KILLED:
                    await self._kill(*await self._busy_worker(), tasks)
                case Fault.WORKER_STOPPED:
                    worker, _ = await self._busy_worker()
                    await ended_by(worker, signal.SIGTERM)
                    worker.start()
                case Fault.WORKER_FROZEN:
                    worker, _ = await self._busy_worker()
                    with frozen(worker):
                        await asyncio.sleep(2 * LEASE_SECONDS)
            del self._due[0]

    async def _has_acked(self, moment: int) -> bool:
        return len(self.acked) >= moment

    async def _may_go_on(self, number: int) -> bool:
        """The clients do not run ahead of the faults, or nobody would be there to suffer them."""
        return not self._due or number <= max(self._due[0][0], self._ahead)

    async def _kill_store(self) -> None:
        self.arena.store.kill()
        await asyncio.sleep(self.chance.uniform(0, 1))
        self.arena.store.start()

    async def _kill(self, worker: Process, held: list[JobId], tasks: asyncio.TaskGroup) -> None:
        seconds, us = await patiently(self.arena.now)
        worker.kill()
        worker.start()
        for job_id in held:
            tasks.create_task(self._time_restart(job_id, seconds * MICROSECONDS + us))

    async def _busy_worker(self) -> tuple[Process, list[JobId]]:
        """A worker that holds jobs, and which; there will be one, since there are clients who wait."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                for worker in self.chance.sample(self._workers, WORKERS):
                    with suppress(StoreUnavailable):
                        if held := await self.arena.held_by(worker.pid):
                            return worker, held
                await asyncio.sleep(0)

    async def _time_restart(self, job_id: JobId, killed_us: int) -> None:
        """Note how long after the kill the job went on; one that had just ended has nothing to go on with."""
        while True:
            ended = await self.arena.is_in(job_id, *ENDED)
            for entry in await patiently(lambda: entries_of(self.arena, job_id)):
                if entry.cursor.us > killed_us and b'"worker-lost"' in entry.body:
                    self.restarts.append((entry.cursor.us - killed_us) / MICROSECONDS)
                    return
            if ended:
                return
            await asyncio.sleep(PAUSE_SECONDS)
