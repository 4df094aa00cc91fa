"""What a running job keeps: steps done once, results within their bounds, and nothing that is no Unicode."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from pydantic import JsonValue

from jobs.errors import DoNotRetry
from jobs.kind import Run
from tests.jobs.doors import Doors, Nothing
from tests.jobs.proxy import Fault, faulty_store
from tests.valkey import ValkeyProcess
from tests.workers.workshop import Workshop
from workers.runner import Stop

Act = Callable[[], Awaitable[JsonValue]]


class Deeds:
    """Acts of steps, counted."""

    def __init__(self) -> None:
        self.counts = Counter[str]()

    def act(self, name: str, result: JsonValue = None) -> Act:
        """An act that yields the result."""

        async def act() -> JsonValue:
            self.counts[name] += 1
            return result

        return act


async def test_a_step_that_is_kept_is_not_run_again(workshop: Workshop) -> None:
    """Not in a later attempt, not after a lost worker; also when its result is null."""
    deeds = Deeds()

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        first = await run.step("first", deeds.act("first", {"rivers": 3}))
        nothing = await run.step("nothing", deeds.act("nothing"))
        deeds.counts["after"] += 1
        if deeds.counts["after"] == 1:
            raise RuntimeError
        return [first, nothing, run.attempt]

    job_id = await workshop.submit(perform)
    await workshop.attempt()
    await workshop.doors.fall_due(job_id)
    await workshop.doors.lose((await workshop.claim()).claim)

    ended = await workshop.attempt()

    assert ended["result"] == [{"rivers": 3}, None, 2]
    assert deeds.counts == {"first": 1, "nothing": 1, "after": 2}
    assert [(step["name"], step["state"], step["attempt"]) for step in ended["steps"]] == [
        ("first", "completed", 1),
        ("nothing", "completed", 1),
    ]


async def test_a_step_that_failed_is_run_again(workshop: Workshop) -> None:
    """It says that it failed, and the attempt fails with it."""
    deeds = Deeds()

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        async def act() -> JsonValue:
            deeds.counts["act"] += 1
            if run.attempt == 1:
                raise ConnectionError
            return run.attempt

        return await run.step("shaky", act)

    job_id = await workshop.submit(perform)
    waiting = await workshop.attempt()
    assert [(step["name"], step["state"]) for step in waiting["steps"]] == [("shaky", "failed")]

    ended = await workshop.next_attempt(job_id)

    assert (ended["result"], deeds.counts["act"]) == (2, 2)


async def test_a_step_that_is_done_when_the_worker_must_stop_is_kept(
    workshop: Workshop, store: ValkeyProcess
) -> None:
    """Its act is over and only its keeping hangs: the next worker does not run it again."""
    deeds = Deeds()

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        async def act() -> JsonValue:
            deeds.counts["act"] += 1
            proxy.hit(1, Fault.LIMBO)
            return "done"

        return await run.step("costly", act)

    await workshop.submit(perform)
    async with faulty_store(store.url) as (proxy, client), asyncio.TaskGroup() as tasks:
        running = await workshop.claim()
        hanging = Workshop(Doors(client), kinds=workshop.kinds)
        run = tasks.create_task(hanging.run(running))
        await proxy.struck.wait()
        running.stop(Stop.SHUTDOWN)
    assert (run.result()["state"], run.result()["attempt"]) == ("queued", 1)

    ended = await workshop.attempt()

    assert (ended["result"], deeds.counts["act"]) == ("done", 1)


async def test_two_steps_of_one_name_fail_the_job(workshop: Workshop) -> None:
    """A kept result must belong to one of them; that is a mistake of the kind, so it is final."""

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        await run.step("same", Deeds().act("one"))
        return await run.step("same", Deeds().act("two"))

    await workshop.submit(perform)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"]) == ("failed", "do-not-retry")
    assert "same" in ended["error"]["detail"]


@pytest.mark.parametrize("name", ["", "a,b", "x" * 129, 'quo"ted', "back\\slash", "line\nbreak", "\ud800"])
async def test_a_name_that_could_be_taken_for_something_else_is_refused(name: str, workshop: Workshop) -> None:
    """The store keeps names in lists, and writes them into JSON."""

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        return await run.step(name, Deeds().act("never"))

    await workshop.submit(perform)

    ended = await workshop.attempt()

    assert ended["state"] == "failed"
    assert (ended["error"]["type"], ended["steps"]) == ("do-not-retry", [])


@pytest.mark.parametrize("size", [1000, 1001])
async def test_a_result_may_be_as_large_as_its_kind_allows(size: int, workshop: Workshop) -> None:
    """One byte more and the job fails, at once and for good."""

    async def perform(_run: Run, _input: Nothing) -> JsonValue:
        return "x" * (size - len('""'))

    await workshop.submit(perform, result_limit=1000)

    ended = await workshop.attempt()

    if size == 1000:
        assert (ended["state"], len(ended["result"])) == ("completed", 998)
    else:
        assert (ended["state"], ended["error"]["type"]) == ("failed", "result-too-large")


async def test_a_step_too_large_to_keep_fails_the_job(workshop: Workshop) -> None:
    """Such a step would have to be run again in each attempt."""

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        await run.step("large", Deeds().act("large", "x" * (4 * 1024 * 1024)))
        return None

    await workshop.submit(perform)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"]) == ("failed", "result-too-large")


async def test_results_hold_no_lone_surrogates(workshop: Workshop) -> None:
    """A pair that a provider split is joined, a lone half becomes U+FFFD: in the result, and in a step's."""
    torn: JsonValue = {"pair \ud83d\ude00": ["lone \ud800", 1.5, None]}

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        return await run.step("torn", Deeds().act("torn", torn))

    job_id = await workshop.submit(perform)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]) == ("completed", None)
    assert ended["result"] == {"pair 😀": ["lone \ufffd", 1.5, None]}
    assert b"\\ud" not in (await workshop.doors.entries(job_id))[-1].body


async def test_steps_run_side_by_side(workshop: Workshop) -> None:
    """Each goes on once the other has begun; one after the other, neither ever would."""
    begun = {name: asyncio.Event() for name in ("left", "right")}

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        async def act(own: str, other: str) -> JsonValue:
            begun[own].set()
            await begun[other].wait()
            return own

        async with asyncio.TaskGroup() as tasks:
            left = tasks.create_task(run.step("left", lambda: act("left", "right")))
            right = tasks.create_task(run.step("right", lambda: act("right", "left")))
        return [left.result(), right.result()]

    await workshop.submit(perform, timeout_seconds=30)

    ended = await workshop.attempt()

    assert ended["result"] == ["left", "right"]
    assert {step["name"]: step["state"] for step in ended["steps"]} == {"left": "completed", "right": "completed"}


async def test_a_step_tries_again_by_itself_within_its_attempt(workshop: Workshop) -> None:
    """The job's own attempts stay as they are, and the step says once that it began and once that it ended."""
    deeds = Deeds()

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        async def act() -> JsonValue:
            deeds.counts["act"] += 1
            if deeds.counts["act"] == 1:
                raise ConnectionError
            return "second"

        return await run.step("shaky", act, tries=2)

    job_id = await workshop.submit(perform)

    ended = await workshop.attempt()

    assert (ended["result"], ended["attempt"], deeds.counts["act"]) == ("second", 1, 2)
    steps = [data["state"] for event, data in await workshop.doors.updates(job_id) if event == "step"]
    assert steps == ["running", "completed"]


async def test_a_step_is_not_tried_again_once_it_says_that_it_is_final(workshop: Workshop) -> None:
    """However many tries it has left."""
    deeds = Deeds()

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        async def act() -> JsonValue:
            deeds.counts["act"] += 1
            raise DoNotRetry("Never.")

        return await run.step("final", act, tries=5)

    await workshop.submit(perform)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"], deeds.counts["act"]) == ("failed", "do-not-retry", 1)


async def test_a_step_that_takes_too_long_is_stopped_and_its_job_tried_again(workshop: Workshop) -> None:
    """The job says that it was a step, and not the job, that took too long."""
    deeds = Deeds()

    async def perform(run: Run, _input: Nothing) -> JsonValue:
        async def act() -> JsonValue:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                deeds.counts["stopped"] += 1
                raise
            return None

        return await run.step("endless", act, timeout_seconds=0.05)

    await workshop.submit(perform)

    waiting = await workshop.attempt()

    assert (waiting["state"], waiting["error"]["type"]) == ("retrying", "timeout")
    assert "step" in waiting["error"]["detail"]
    assert deeds.counts["stopped"] == 1
