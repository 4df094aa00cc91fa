"""Durable workflows: what a kind may do, and what is kept of it."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, JsonValue

from jobs.errors import DoNotRetry
from jobs.events import Event, Subscription
from jobs.kind import AnyKind, Child, Kind, Run
from jobs.updates import Cursor
from tests.engine.conftest import Engine, names


class Anything(BaseModel):
    """An input that takes what it is given."""

    n: int = 0


def kind(name: str, perform: Callable[[Run, Anything], Awaitable[JsonValue]], **more: int) -> AnyKind:
    return Kind(name=name, input=Anything, perform=perform, summary="", **more)  # type: ignore[arg-type]


async def test_a_sleeping_job_holds_no_slot_and_goes_on_when_it_is_time(engine: Engine) -> None:
    """With one slot, another job runs while the first one sleeps; waking is no new attempt."""

    async def sleeper(run: Run, _: Anything) -> JsonValue:
        await run.sleep("nap", 0.5)
        return run.attempt

    async def quick(run: Run, _: Anything) -> JsonValue:
        return "quick"

    engine.know(kind("sleeper", sleeper), kind("quick", quick))
    sleeping = await engine.submit(engine.kinds["sleeper"])
    async with engine.worker(slots=1):
        await engine.until(sleeping, "waiting")
        other = await engine.submit(engine.kinds["quick"])
        assert (await engine.ended(other))["result"] == "quick"
        ended = await engine.ended(sleeping)

    assert ended["result"] == 1
    assert names(ended["steps"]) == [("nap", "completed")]


async def test_a_parent_waits_for_its_children_without_a_slot(engine: Engine) -> None:
    """One slot is enough for a parent with three children, and their results come in order."""

    async def child(run: Run, given: Anything) -> JsonValue:
        if given.n == 1:
            raise DoNotRetry("one is not to be had")
        return given.n * 10

    async def parent(run: Run, _: Anything) -> JsonValue:
        ends = await run.children("three", [Child("child", {"n": n}) for n in range(3)])
        return [[end.state, end.result] for end in ends]

    engine.know(kind("child", child), kind("parent", parent))
    job_id = await engine.submit(engine.kinds["parent"])
    async with engine.worker(slots=1):
        ended = await engine.ended(job_id)

    assert ended["result"] == [["completed", 0], ["failed", None], ["completed", 20]]


async def test_an_event_sent_by_a_job_starts_what_subscribes_to_it_once(engine: Engine) -> None:
    """The event leaves with the step that sends it; a job tried again after it sends it no second time."""
    started: list[int] = []

    async def sender(run: Run, _: Anything) -> JsonValue:
        event_id = await run.send("done", {"n": 7})
        if run.attempt == 1 and not started:
            await run.sleep("nap", 0.01)
        return event_id

    async def receiver(run: Run, given: Anything) -> JsonValue:
        started.append(given.n)
        return None

    engine.know(kind("sender", sender), kind("receiver", receiver))
    wanted = Subscription("done", engine.kinds["receiver"], fits=lambda data: data["n"] == 7)
    unwanted = Subscription("done", engine.kinds["receiver"], fits=lambda data: data["n"] == 8)
    engine.subscriptions += [wanted, unwanted]
    job_id = await engine.submit(engine.kinds["sender"])
    async with engine.worker():
        event_id = (await engine.ended(job_id))["result"]
        while not (found := await engine.events.find(event_id))["jobs"]:
            await engine.client.ping()
        await engine.ended(found["jobs"][0]["id"])

    assert started == [7]


async def test_an_event_that_no_kind_takes_is_kept_as_dropped(engine: Engine) -> None:
    """Its id can be asked for, and it started nothing."""
    sent = await engine.events.send(Event("nobody-knows-it", {"x": 1}))

    assert sent.job_ids == []
    assert (await engine.events.find(sent.event_id))["dropped"]


async def test_a_retry_by_hand_goes_on_from_the_kept_steps(engine: Engine) -> None:
    """The next run is in the same log, counts its attempts anew, and runs no kept step again."""
    calls: list[str] = []

    async def once(name: str) -> str:
        calls.append(name)
        return name

    async def flaky(run: Run, _: Anything) -> JsonValue:
        first = await run.step("first", lambda: once("first"))
        if len(calls) == 1:
            calls.append("failed")
            raise DoNotRetry("not today")
        return [first, await run.step("second", lambda: once("second"))]

    engine.know(kind("flaky", flaky))
    job_id = await engine.submit(engine.kinds["flaky"])
    async with engine.worker():
        failed = await engine.ended(job_id)
        await engine.queue.retry(job_id)
        completed = await engine.until(job_id, "completed")

    assert (failed["state"], failed["error"]["type"]) == ("failed", "do-not-retry")
    assert (completed["run"], completed["attempt"], completed["result"]) == (2, 1, ["first", "second"])
    assert calls == ["first", "failed", "second"]
    assert Cursor.parse(completed["cursor"]) > Cursor.parse(failed["cursor"])


async def test_no_more_jobs_of_a_kind_run_at_once_than_it_allows(engine: Engine) -> None:
    """Twelve jobs through a limit of three, and of one for each subject: never more, and all of them end."""
    running: dict[str, int] = {}
    seen: list[tuple[int, int]] = []

    async def limited(run: Run, given: Anything) -> JsonValue:
        subject = f"s{given.n}"
        running[subject] = running.get(subject, 0) + 1
        seen.append((sum(running.values()), running[subject]))
        await run.progress(message="working")
        running[subject] -= 1
        return None

    engine.know(kind("limited", limited, concurrency=3, concurrency_per_subject=1))
    limited_kind = engine.kinds["limited"]
    job_ids = [await engine.submit(limited_kind, {"n": n % 4}, subject=f"s{n % 4}") for n in range(12)]
    async with engine.worker():
        for job_id in job_ids:
            assert (await engine.ended(job_id))["state"] == "completed"

    assert max(total for total, _ in seen) <= 3
    assert max(own for _, own in seen) == 1


async def test_cancelling_a_waiting_parent_cancels_its_children(engine: Engine) -> None:
    """Nothing of it goes on."""

    async def child(run: Run, _: Anything) -> JsonValue:
        await run.sleep("for ever", 1000)
        return None

    async def parent(run: Run, _: Anything) -> JsonValue:
        await run.children("one", [Child("child", {})])
        return None

    engine.know(kind("child", child), kind("parent", parent))
    job_id = await engine.submit(engine.kinds["parent"])
    async with engine.worker():
        await engine.until(job_id, "waiting")
        (member,) = await engine.client.smembers(f"js:{job_id}:children")  # type: ignore[misc]
        child_id = member.decode()
        await engine.until(child_id, "waiting")
        await engine.queue.cancel(job_id)
        assert (await engine.ended(child_id))["state"] == "cancelled"
        assert (await engine.ended(job_id))["state"] == "cancelled"


async def test_a_filter_that_trips_over_the_data_stops_no_event(engine: Engine) -> None:
    """The event counts as one that its kind does not take; those behind it are delivered."""

    async def receiver(run: Run, _: Anything) -> JsonValue:
        return None

    engine.know(kind("receiver", receiver))
    engine.subscriptions.append(Subscription("done", engine.kinds["receiver"], fits=lambda data: data["x"].islower()))

    assert (await engine.events.send(Event("done", {"x": 1}))).job_ids == []
    assert len((await engine.events.send(Event("done", {"x": "a"}))).job_ids) == 1


async def test_a_child_is_there_until_its_parent_has_looked_at_it(engine: Engine) -> None:
    """However soon its kind would forget it: it is not run again, and its result is not lost."""
    runs: list[int] = []

    async def child(run: Run, given: Anything) -> JsonValue:
        runs.append(given.n)
        return given.n

    async def slow(run: Run, _: Anything) -> JsonValue:
        await run.sleep("while the other is forgotten", 2)
        return "slow"

    async def parent(run: Run, _: Anything) -> JsonValue:
        ends = await run.children("both", [Child("child", {"n": 1}), Child("slow", {})])
        return [end.result for end in ends]

    engine.know(kind("child", child, retention_seconds=1), kind("slow", slow), kind("parent", parent))
    job_id = await engine.submit(engine.kinds["parent"])
    async with engine.worker():
        ended = await engine.ended(job_id)

    assert (ended["result"], runs) == ([1, "slow"], [1])
