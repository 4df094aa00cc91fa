"""Who gets the slots: limits that hold, subjects that share, and places that a dead worker gives back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import JsonValue

from jobs import keys
from jobs.clock import MICROSECONDS, to_microseconds
from jobs.kind import AnyKind, Run
from jobs.leases import Leases
from jobs.model import JobId
from tests.engine.conftest import Engine
from tests.engine.test_workflows import Anything, kind


class Gate:
    """Jobs that say that they have begun, and stay until they are let go."""

    def __init__(self) -> None:
        self.order: list[JobId] = []
        self.opened = asyncio.Event()

    async def perform(self, run: Run, _: Anything) -> JsonValue:
        """What such a job does."""
        self.order.append(run.job_id)
        await self.opened.wait()
        return None

    async def until_begun(self, count: int) -> None:
        """Return when so many have begun."""
        async with asyncio.timeout(20):
            while len(self.order) < count:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def stopped_at(gate: Gate) -> AsyncIterator[None]:
    """Whoever is still at the gate when the block ends may go."""
    try:
        yield
    finally:
        gate.opened.set()


async def in_order(_run: Run, _input: Anything) -> JsonValue:
    return None


async def test_a_subject_with_few_jobs_does_not_wait_for_one_with_many(engine: Engine) -> None:
    """Forty of one subject are in the queue; what another submits after them is not the forty-first to start."""
    order: list[str] = []

    async def perform(_run: Run, given: Anything) -> JsonValue:
        order.append("few" if given.n else "many")
        return None

    engine.know(kind("perform", perform))
    many = [await engine.submit(engine.kinds["perform"], {"n": 0}, subject="many") for _ in range(40)]
    few = [await engine.submit(engine.kinds["perform"], {"n": 1}, subject="few") for _ in range(3)]
    async with engine.worker(slots=1):
        for job_id in few:
            await engine.ended(job_id)

    later = await _created_us(engine, few[0]) - await _created_us(engine, many[0])
    assert order.index("few") <= 2 + later / MICROSECONDS  # each further job of a subject falls back by a second
    assert len(order) < 20


async def _created_us(engine: Engine, job_id: JobId) -> int:
    return to_microseconds((await engine.snapshot(job_id))["created_at"])


async def test_what_waits_for_its_kind_leaves_the_slots_to_others(engine: Engine) -> None:
    """A kind that allows one at a time has five in the queue; a worker of two slots runs others beside the one."""
    gate = Gate()
    engine.know(kind("narrow", gate.perform, concurrency=1), kind("wide", in_order))
    for _ in range(5):
        await engine.submit(engine.kinds["narrow"])
    async with stopped_at(gate), engine.worker(slots=2):
        await gate.until_begun(1)
        for _ in range(3):
            assert (await engine.ended(await engine.submit(engine.kinds["wide"])))["state"] == "completed"
        assert len(gate.order) == 1
        gate.opened.set()
        await gate.until_begun(5)


async def test_a_dead_workers_slots_come_back_with_its_leases(engine: Engine) -> None:
    """The job that it had holds its kind's only slot; whoever takes it over has the slot, then the next one."""
    gate = Gate()
    engine.know(kind("narrow", gate.perform, concurrency=1))
    narrow: AnyKind = engine.kinds["narrow"]
    first, second = [await engine.submit(narrow) for _ in range(2)]
    await _die_with(engine, narrow, first)

    async with stopped_at(gate), engine.worker():
        await gate.until_begun(1)
        assert gate.order == [first]
        gate.opened.set()
        assert (await engine.ended(second))["state"] == "completed"

    assert await engine.client.zcard(f"{keys.SLOTS}narrow") == 0


async def _die_with(engine: Engine, narrow: AnyKind, job_id: JobId) -> None:
    """A worker claims the job, and is never heard of again."""
    claims = await Leases(engine.client, lease_seconds=0.5).claim(slots=5, token="dead", kinds=[narrow])
    assert [claim.job_id for claim in claims.jobs] == [job_id]


async def test_a_limit_for_each_subject_holds_over_several_workers(engine: Engine) -> None:
    """Two workers with many slots, three jobs of each of two subjects: one of each at a time."""
    gate = Gate()
    engine.know(kind("own", gate.perform, concurrency_per_subject=1))
    own = engine.kinds["own"]
    job_ids = {subject: [await engine.submit(own, subject=subject) for _ in range(3)] for subject in ("one", "two")}
    async with stopped_at(gate), engine.worker(), engine.worker():
        await gate.until_begun(2)
        others = await engine.submit(own, subject="three")
        await gate.until_begun(3)
        assert {*gate.order} == {job_ids["one"][0], job_ids["two"][0], others}
        gate.opened.set()
        for job_id in (*job_ids["one"], *job_ids["two"]):
            assert (await engine.ended(job_id))["state"] == "completed"
