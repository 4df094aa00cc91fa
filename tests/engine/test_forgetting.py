"""What is deleted is gone: a job, and all that belongs to a subject."""

import asyncio

import pytest
from pydantic import JsonValue

from jobs.errors import JobNotFound, NotTerminal
from jobs.kind import Child, Run
from jobs.model import JobId
from tests.engine.conftest import Engine
from tests.engine.test_workflows import Anything, kind


async def everything_of(engine: Engine, *names: str) -> list[str]:
    """Every key, and every member of a list or set, that still names one of these."""
    found: list[str] = []
    async for key in engine.client.scan_iter("*"):
        held = key.decode() + " " + await _members(engine, key)
        found += [f"{key.decode()} names {name}" for name in names if name in held]
    return found


async def _members(engine: Engine, key: bytes) -> str:
    match await engine.client.type(key):
        case b"zset":
            return " ".join(each.decode() for each in await engine.client.zrange(key, 0, -1))
        case b"set":
            return " ".join(each.decode() for each in await engine.client.smembers(key))  # type: ignore[misc]
        case b"list":
            return " ".join(each.decode() for each in await engine.client.lrange(key, 0, -1))  # type: ignore[misc]
    return ""


async def gone(engine: Engine, job_id: JobId) -> None:
    """Return once the job is not there any more."""
    async with asyncio.timeout(20):
        while True:
            try:
                await engine.snapshot(job_id)
            except JobNotFound:
                return
            await asyncio.sleep(0.01)


async def a_step(run: Run, _: Anything) -> JsonValue:
    async def act() -> JsonValue:
        return "kept"

    return await run.step("first", act)


async def for_ever(run: Run, _: Anything) -> JsonValue:
    await asyncio.Event().wait()
    return None


async def sleeper(run: Run, _: Anything) -> JsonValue:
    await run.sleep("long", 1000)
    return None


async def family(run: Run, _: Anything) -> JsonValue:
    await run.children("one", [Child("sleeper", {})])
    return None


async def test_a_deleted_job_leaves_nothing_behind(engine: Engine) -> None:
    """No key and no list names it, and its idempotency key is free."""
    engine.know(kind("step", a_step))
    job_id = await engine.submit(engine.kinds["step"], subject="one", idempotency_key="k")
    async with engine.worker():
        await engine.ended(job_id)

    await engine.queue.forget(job_id)

    assert await everything_of(engine, job_id) == []
    assert await engine.submit(engine.kinds["step"], subject="one", idempotency_key="k") != job_id


async def test_a_job_that_goes_on_is_not_deleted(engine: Engine) -> None:
    """It has to be cancelled first."""
    engine.know(kind("step", a_step))
    job_id = await engine.submit(engine.kinds["step"])

    with pytest.raises(NotTerminal):
        await engine.queue.forget(job_id)

    async with engine.worker():
        assert (await engine.ended(job_id))["state"] == "completed"


async def test_a_subject_is_forgotten_whole_whatever_its_jobs_were_at(engine: Engine) -> None:
    """Ended, waiting, running and scheduled ones, and children; the jobs of others stay."""
    engine.know(*(kind(name, act) for name, act in ACTS.items()))
    ended = await engine.submit(engine.kinds["step"], subject="one", idempotency_key="k")
    later = await engine.submit(engine.kinds["step"], subject="one", delay=3600)
    foreign = await engine.submit(engine.kinds["step"], subject="two")
    running = await engine.submit(engine.kinds["for_ever"], subject="one")
    waiting = await engine.submit(engine.kinds["family"], subject="one")
    async with engine.worker():
        await engine.ended(ended)
        await engine.ended(foreign)
        await engine.until(running, "running")
        await engine.until(waiting, "waiting")
        (child,) = await engine.client.smembers(f"js:{waiting}:children")  # type: ignore[misc]
        await engine.until(JobId(child.decode()), "waiting")

        await engine.queue.forget_subject("one")

        everyone = [ended, later, running, waiting, JobId(child.decode())]
        for job_id in everyone:
            await gone(engine, job_id)
    assert await everything_of(engine, *everyone, ":one", "subject:one") == []
    assert (await engine.snapshot(foreign))["state"] == "completed"


async def test_a_job_that_comes_in_while_its_subject_is_forgotten_can_be_forgotten_too(engine: Engine) -> None:
    """It stays in the subject's list."""
    engine.know(kind("step", a_step))
    early = await engine.submit(engine.kinds["step"], subject="one")
    async with engine.worker():
        await engine.ended(early)
        _, late = await asyncio.gather(
            engine.queue.forget_subject("one"), engine.submit(engine.kinds["step"], subject="one")
        )
        await engine.ended(late)
        await engine.queue.forget_subject("one")
        for job_id in (early, late):
            await gone(engine, job_id)


ACTS = {"step": a_step, "for_ever": for_ever, "sleeper": sleeper, "family": family}
