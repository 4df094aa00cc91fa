"""What a retry by hand runs again, what it leaves, and what somebody who watches sees of it."""

import asyncio
from collections import Counter

import pytest
from pydantic import JsonValue

from jobs.errors import AlreadyCompleted, DoNotRetry, InvalidInput, NotTerminal
from jobs.kind import Child, Run
from jobs.model import JobId
from tests.engine.conftest import Engine, names
from tests.engine.test_workflows import Anything, kind


async def test_a_retry_from_the_start_runs_every_step_again(engine: Engine) -> None:
    """Nothing that was kept counts any more."""
    calls = Counter[str]()

    async def act(name: str) -> JsonValue:
        calls[name] += 1
        return name

    async def perform(run: Run, _: Anything) -> JsonValue:
        await run.step("first", lambda: act("first"))
        if calls["first"] == 1:
            raise DoNotRetry("not today")
        return await run.step("second", lambda: act("second"))

    engine.know(kind("perform", perform))
    job_id = await engine.submit(engine.kinds["perform"])
    async with engine.worker():
        await engine.until(job_id, "failed")
        await engine.queue.retry(job_id, from_start=True)
        ended = await engine.until(job_id, "completed")

    assert calls == {"first": 2, "second": 1}
    assert (ended["run"], names(ended["steps"])) == (2, [("first", "completed"), ("second", "completed")])


async def test_a_retry_finds_the_children_that_a_kept_step_has_waited_for(engine: Engine) -> None:
    """They are not submitted again, unless the retry is from the start."""
    started = Counter[int]()

    async def child(_run: Run, given: Anything) -> JsonValue:
        started[given.n] += 1
        return given.n

    async def parent(run: Run, _: Anything) -> JsonValue:
        ends = await run.children("all", [Child("child", {"n": n}) for n in range(3)])
        if max(started.values()) == 1:
            raise DoNotRetry("not today")
        return [end.result for end in ends]

    engine.know(kind("child", child), kind("parent", parent))
    job_id = await engine.submit(engine.kinds["parent"])
    async with engine.worker():
        await engine.until(job_id, "failed")
        await engine.queue.retry(job_id)
        async with asyncio.timeout(20):
            while (again := await engine.snapshot(job_id))["state"] != "failed" or again["run"] != 2:
                await engine.client.ping()
        assert started == {0: 1, 1: 1, 2: 1}
        await engine.queue.retry(job_id, from_start=True)
        ended = await engine.until(job_id, "completed")

    assert started == {0: 2, 1: 2, 2: 2}
    assert ended["result"] == [0, 1, 2]


async def test_a_job_that_cannot_be_run_again_says_why(engine: Engine) -> None:
    """One that goes on, one that completed, and one without such a part."""

    async def perform(_run: Run, _input: Anything) -> JsonValue:
        return "done"

    engine.know(kind("perform", perform))
    job_id = await engine.submit(engine.kinds["perform"])
    with pytest.raises(NotTerminal):
        await engine.queue.retry(job_id)
    async with engine.worker():
        await engine.ended(job_id)
    with pytest.raises(AlreadyCompleted):
        await engine.queue.retry(job_id)
    with pytest.raises(InvalidInput):
        await engine.queue.retry(job_id, parts=frozenset({"openai"}))

    assert (await engine.snapshot(job_id))["run"] == 1


async def test_of_two_retries_at_once_one_starts_a_run(engine: Engine) -> None:
    """The other is told that the job goes on."""

    async def perform(_run: Run, _input: Anything) -> JsonValue:
        raise DoNotRetry("not today")

    engine.know(kind("perform", perform))
    job_id = await engine.submit(engine.kinds["perform"])
    async with engine.worker():
        await engine.until(job_id, "failed")

    answers = await asyncio.gather(*(engine.queue.retry(job_id) for _ in range(8)), return_exceptions=True)

    assert [type(answer) for answer in answers if answer is not None] == [NotTerminal] * 7
    assert (await engine.snapshot(job_id))["run"] == 2


async def test_an_event_of_a_later_run_is_another_event(engine: Engine) -> None:
    """Kept, it is not sent again; from the start it is, under an id of its own."""
    sent: list[str] = []

    async def perform(run: Run, _: Anything) -> JsonValue:
        sent.append(await run.send("news", {"n": 1}))
        sent.append(await run.send("news", {"n": 2}, name="more news"))
        raise DoNotRetry("not today")

    engine.know(kind("perform", perform))
    job_id = await engine.submit(engine.kinds["perform"])
    async with engine.worker():
        for run, from_start in ((1, False), (2, True)):
            await _failed(engine, job_id, run)
            await engine.queue.retry(job_id, from_start=from_start)
        await _failed(engine, job_id, 3)

    assert sent[0:2] == sent[2:4]
    assert len({*sent[2:4], *sent[4:6]}) == 4


async def _failed(engine: Engine, job_id: JobId, run: int) -> None:
    async with asyncio.timeout(20):
        while (held := await engine.snapshot(job_id))["run"] != run or held["state"] != "failed":
            await engine.client.ping()
