"""A paused kind: none of its jobs starts, whoever works; what runs goes on, and nobody else waits for it."""

import asyncio

import pytest
from pydantic import JsonValue

from jobs import keys
from jobs.errors import QueueFull
from jobs.kind import AnyKind, Run
from jobs.model import JobId
from jobs.pauses import Pauses
from jobs.queue import Room
from tests.api import Api
from tests.engine.conftest import Engine
from tests.engine.test_workflows import Anything, kind
from tests.jobs import lines
from tests.jobs.doors import Doors, idle_kind
from tests.jobs.patience import until
from tests.operator.asking import done, told

SLOW, QUICK = idle_kind("slow"), idle_kind("quick")
BOTH = [SLOW, QUICK]


async def held_back(doors: Doors, name: str) -> int:
    """How many jobs of the kind were taken out of the queue."""
    return int(await doors.client.zcard(keys.HELD + name))


async def claimed_until_held(doors: Doors, most: int) -> list[str]:
    """What workers are given until so many slow jobs are held back."""
    claimed: list[str] = []

    async def all_held() -> bool:
        claimed.extend(each.job_id for each in await doors.claim(f"w-{len(claimed)}", slots=2, kinds=BOTH))
        return await held_back(doors, "slow") == most

    await until(all_held)
    return claimed


async def test_a_paused_kinds_jobs_wait_while_others_flow(doors: Doors) -> None:
    """However many of them are ahead: they are taken out of the way, and found by no claim."""
    pauses = Pauses(doors.client)
    await pauses.pause("slow")
    slow = [await doors.submit(SLOW, priority=10) for _ in range(100)]
    quick = [await doors.submit(QUICK) for _ in range(3)]

    claimed = await claimed_until_held(doors, 100)
    claimed += [each.job_id for each in await doors.claim("w-last", slots=3, kinds=BOTH)]

    assert set(claimed) == set(quick)
    assert {(await doors.snapshot(job_id))["state"] for job_id in slow} == {"queued"}


async def test_resumed_they_start_in_the_order_that_they_had(doors: Doors) -> None:
    """Their places are those that they were given when they were submitted, priorities and newcomers included."""
    pauses = Pauses(doors.client)
    await pauses.pause("slow")
    early = [await doors.submit(SLOW, priority=9 - at // 20) for at in range(80)]
    assert await claimed_until_held(doors, 80) == []
    late = await doors.submit(SLOW, priority=0)
    urgent = await doors.submit(QUICK, priority=10)
    await pauses.resume("slow")

    claimed: list[str] = []
    while found := await doors.claim(f"w-{len(claimed)}", slots=3, kinds=BOTH):
        claimed += [each.job_id for each in found]

    places = {job_id: await doors.moment(JobId(job_id), "score") for job_id in claimed}
    assert (claimed[0], claimed[-1]) == (urgent, late)
    assert set(claimed[1:-1]) == set(early)
    assert list(places.values()) == sorted(places.values())
    assert await doors.client.exists(keys.PAUSED, keys.HELD + "slow") == 0


async def test_paused_again_before_all_were_put_back_the_rest_stays_held(doors: Doors) -> None:
    """The second pause counts at once."""
    pauses = Pauses(doors.client)
    await pauses.pause("slow")
    for _ in range(80):
        await doors.submit(SLOW)
    assert await claimed_until_held(doors, 80) == []
    await pauses.resume("slow")
    assert len(await doors.claim("w-2", kinds=BOTH)) == 1
    assert 0 < await held_back(doors, "slow") < 80
    await pauses.pause("slow")

    assert await claimed_until_held(doors, 79) == []


async def test_a_job_that_was_claimed_before_goes_on(engine: Engine) -> None:
    """It ends by itself, while the one behind it does not begin."""
    hold, begun = asyncio.Event(), asyncio.Event()

    async def wait(_run: Run, _input: Anything) -> JsonValue:
        begun.set()
        await hold.wait()
        return "done"

    waiting = kind("waiting", wait)
    engine.know(waiting)
    async with engine.worker(slots=1):
        first = await engine.submit(waiting)
        await begun.wait()
        await Pauses(engine.client).pause("waiting")
        second = await engine.submit(waiting)
        hold.set()
        assert (await engine.ended(first))["result"] == "done"

        await until(lambda: _held(engine, waiting))
        assert (await engine.snapshot(second))["state"] == "queued"


async def test_a_pause_outlives_the_workers_and_ends_for_all_of_them(engine: Engine) -> None:
    """A worker that starts anew, and one that was there, both leave the kind alone until it is resumed."""

    async def quick(_run: Run, _input: Anything) -> JsonValue:
        return "done"

    paused, other = kind("paused", quick), kind("other", quick)
    engine.know(paused, other)
    await Pauses(engine.client).pause("paused")
    job_id = await engine.submit(paused)
    for _ in range(2):
        async with engine.worker():
            await engine.ended(await engine.submit(other))
            await until(lambda: _held(engine, paused))
    assert (await engine.snapshot(job_id))["state"] == "queued"

    await Pauses(engine.client).resume("paused")
    async with engine.worker():
        assert (await engine.ended(job_id))["result"] == "done"


async def _held(engine: Engine, paused: AnyKind) -> bool:
    return bool(await engine.client.zcard(keys.HELD + paused.name))


async def test_what_a_worker_lost_of_a_paused_kind_waits_too(doors: Doors) -> None:
    """It says so in its log, keeps its attempt, and is the next one when the kind is resumed."""
    claim = await doors.running(SLOW, token="gone-1")
    await Pauses(doors.client).pause("slow")
    await doors.lose(claim)
    assert await doors.claim("w-1", kinds=BOTH) == []

    waits = await doors.snapshot(claim.job_id)
    await Pauses(doors.client).resume("slow")
    (again,) = await doors.claim("w-2", kinds=BOTH)

    assert (waits["state"], waits["attempt"]) == ("queued", 1)
    assert (again.job_id, again.attempt) == (claim.job_id, 1)


async def test_a_job_that_is_held_back_is_cancelled_at_once_and_leaves_nothing(doors: Doors) -> None:
    """As one that waits in the queue is."""
    await Pauses(doors.client).pause("slow")
    job_id = await doors.submit(SLOW)
    assert await doors.claim("w-1", kinds=BOTH) == []
    assert await held_back(doors, "slow") == 1

    await doors.queue.cancel(job_id)

    assert (await doors.snapshot(job_id))["state"] == "cancelled"
    assert await held_back(doors, "slow") == 0


async def test_the_operator_pauses_and_resumes_and_sees_which_kinds_are(operator: Api, doors: Doors) -> None:
    """With how much there is of each; twice is as good as once."""
    copying = idle_kind("copy-records")
    await doors.submit(copying)
    first = await done(operator, "kinds/copy-records/pause")
    again = await done(operator, "kinds/copy-records/pause")
    assert await doors.claim("w-1", kinds=[copying]) == []

    figures = await told(operator, "figures")
    resumed = await done(operator, "kinds/copy-records/resume")
    await doors.claim("w-2", kinds=[copying])
    (kinds,) = [each for each in (await told(operator, "kinds"))["items"] if each["kind"] == "copy-records"]

    assert first["paused"]
    assert again == first
    assert (figures["paused"], figures["jobs"]["parked"], figures["jobs"]["queued"]) == (["copy-records"], 1, 1)
    assert (resumed["paused"], resumed["paused_at"]) == (False, None)
    assert (kinds["queued"], kinds["running"], kinds["concurrency"]) == (0, 1, 8)


async def test_a_suspect_that_is_held_back_leaves_the_place_for_suspects_to_the_next(doors: Doors) -> None:
    """That place is one for all kinds: a paused kind's job that was woken for it keeps nobody from it."""
    first, second, third = [await doors.submit(kind) for kind in (QUICK, SLOW, QUICK)]
    for job_id in (first, second, third):
        await doors.set_moment(job_id, "crashes", 2)
    (claim,) = await doors.claim("w-1", slots=3, kinds=BOTH)
    await Pauses(doors.client).pause("slow")
    await doors.append(claim, lines.end(result=None))

    claimed = [each.job_id for at in range(2) for each in await doors.claim(f"w-{at + 2}", kinds=BOTH)]

    assert (claim.job_id, claimed) == (first, [third])
    assert await held_back(doors, "slow") == 1


async def test_what_is_held_back_fills_the_queue_for_its_own_kind_alone(doors: Doors) -> None:
    """However long a pause lasts, no more jobs wait than may; others come in."""
    room = Room(waiting=2)
    await Pauses(doors.client).pause("slow")
    for _ in range(2):
        await doors.submit(SLOW, room=room)
    assert await claimed_until_held(doors, 2) == []

    with pytest.raises(QueueFull):
        await doors.submit(SLOW, room=room)
    await doors.submit(QUICK, room=room)
