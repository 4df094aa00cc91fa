"""The measurements: one entrant at a time on one store, in turns, each with a fresh worker and an empty store."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field

from redis.asyncio import Redis

from bench.engine.entrants import Entrant
from bench.engine.program import Failed, told

WARM_UP = 10
WAITING_SECONDS = 3600.0


@dataclass
class Figures:
    """What was measured of one entrant; seconds, unless a name says otherwise."""

    entrant: Entrant
    jobs_per_second: list[float] = field(default_factory=list)
    submitted_per_second: list[float] = field(default_factory=list)
    worker_us_per_job: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    repeats: int = 0
    idle_cpu: float = 0.0


@dataclass(frozen=True)
class Beside:
    """How single jobs start while many others wait, and what the store needs for each of those."""

    waits: Sequence[float]
    bytes_per_waiting: float


class Race:
    """One store; whoever fails on it is out, and the reason is kept."""

    def __init__(self, url: str, entrants: Sequence[Entrant]) -> None:
        self._url = url
        self.figures = [Figures(entrant) for entrant in entrants]
        self.failed: dict[str, str] = {}

    async def drain_all(self, scale: int) -> None:
        """Each entrant ends a full queue once."""
        for figures in [*self.figures]:
            await self._unless_failed(figures, self._drain(figures, scale * figures.entrant.jobs))

    async def wait_all(self, count: int) -> None:
        """Each entrant starts single jobs on an idle worker."""
        for figures in [*self.figures]:
            await self._unless_failed(figures, self._wait(figures, count))

    async def wait_beside(self, entrant: Entrant, count: int, waiting: int) -> Beside:
        """The same for one entrant while so many other jobs are to begin much later."""
        before = await self._empty()
        await entrant.told("fill", self._url, waiting, "--delay", str(WAITING_SECONDS))
        taken = await self._used_bytes() - before
        return Beside(await self._waits(entrant, count), taken / waiting)

    async def idle_all(self, seconds: int) -> None:
        """All the entrants do nothing, side by side."""
        await self._empty()
        async with asyncio.TaskGroup() as tasks:
            for figures in [*self.figures]:
                tasks.create_task(self._unless_failed(figures, self._idle(figures, seconds)))

    async def step_seconds(self, count: int) -> float:
        """What one of many kept steps takes."""
        await self._empty()
        answer = await told("bench.engine.steps", self._url, str(count))
        return float(answer["seconds"]) / count

    async def _unless_failed(self, figures: Figures, measuring: Awaitable[None]) -> None:
        try:
            await measuring
        except (Failed, TimeoutError) as reason:
            self.failed[figures.entrant.name] = str(reason) or "it took too long"
            self.figures.remove(figures)

    async def _drain(self, figures: Figures, count: int) -> None:
        await self._empty()
        filled = await figures.entrant.told("fill", self._url, count)
        drained = await figures.entrant.told("drain", self._url, count)
        figures.submitted_per_second.append(count / filled["seconds"])
        figures.jobs_per_second.append(count / drained["seconds"])
        figures.worker_us_per_job.append(1e6 * drained["cpu_seconds"] / count)
        figures.repeats += drained["repeats"]

    async def _wait(self, figures: Figures, count: int) -> None:
        await self._empty()
        figures.waits += await self._waits(figures.entrant, count)

    async def _waits(self, entrant: Entrant, count: int) -> list[float]:
        async with entrant.running("answer", self._url, count) as worker:
            await entrant.told("fill", self._url, WARM_UP)
            await worker.line()
            await entrant.told("trickle", self._url, count)
            waits: list[float] = (await worker.answer())["waits"]
            return waits

    async def _idle(self, figures: Figures, seconds: int) -> None:
        figures.idle_cpu = (await figures.entrant.told("idle", self._url, seconds))["cpu"]

    async def _empty(self) -> int:
        """Forget all; how many bytes the store uses then."""
        async with Redis.from_url(self._url) as store:
            await store.flushall()
        return await self._used_bytes()

    async def _used_bytes(self) -> int:
        async with Redis.from_url(self._url) as store:
            return int((await store.info("memory"))["used_memory"])
