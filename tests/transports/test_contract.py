"""What holds for every transport: the same job, the same order, from wherever a client starts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from jobs.connection import Client
from jobs.model import JsonObject, State
from tests.api import Api
from tests.jobs.doors import Doors
from tests.transports.hand import story, take_in_hand
from tests.transports.logs import copy_of, restore, trim
from tests.transports.reference import told
from tests.transports.subjects import TERMINAL, TRANSPORTS, Transport

pytestmark = pytest.mark.parametrize("transport", TRANSPORTS, ids=[transport.name for transport in TRANSPORTS])


class Truth:
    """What polling returned after each update of a job: what a client may hold, and nothing else."""

    def __init__(self, api: Api, job: JsonObject) -> None:
        self._api = api
        self.job_id: str = job["id"]
        self.views = [told(job)]

    async def note(self) -> None:
        self.views.append(told(await self._api.poll(self.job_id)))

    def check(self, transport: Transport, views: list[JsonObject]) -> None:
        """The views are true, in order, end with the last, and skip none where the client sees each update; but
        the first may be a snapshot."""
        truths = [transport.seen(view) for view in self.views]
        places = [truths.index(transport.seen(view)) for view in views]
        assert places == sorted(set(places))
        assert places[-1] == len(self.views) - 1
        if transport.every_update:
            assert places == list(range(places[0], len(self.views)))


class Reader:
    """A client that follows a job, and keeps all that it held in turn."""

    def __init__(self, transport: Transport, api: Api, truth: Truth, held: JsonObject | None = None) -> None:
        self._views = transport.follow(api, truth.job_id, held)
        self.views: list[JsonObject] = []
        self.came = asyncio.Event()

    async def read(self) -> list[JsonObject]:
        """Everything up to the end."""
        async with aclosing(self._views):
            async for view in self._views:
                self.views.append(view)
                self.came.set()
        return self.views


async def submit(api: Api) -> Truth:
    return Truth(api, await api.submit("written by hand"))


async def write(truth: Truth, doors: Doors, state: State = State.COMPLETED) -> AsyncIterator[None]:
    """The job's one run, from its claim to its end, a line at each step."""
    hand = await take_in_hand(doors, truth.job_id)
    await truth.note()
    for line in story(hand, state):
        yield
        await hand.write(line)
        await truth.note()


async def finish(writing: AsyncIterator[None]) -> None:
    async for _ in writing:
        pass


@pytest.mark.parametrize("state", TERMINAL)
async def test_whoever_comes_first_sees_the_job_grow_to_its_end(
    transport: Transport, state: str, caller: Api, doors: Doors
) -> None:
    """All that it ever holds is what polling returned then, however the run ends."""
    truth = await submit(caller)
    reader = Reader(transport, caller, truth)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(reader.read())
        await reader.came.wait()
        await finish(write(truth, doors, State(state)))

    assert transport.seen(reader.views[0]) == transport.seen(truth.views[0])
    truth.check(transport, reader.views)


async def test_whoever_comes_in_the_middle_is_given_the_whole(
    transport: Transport, caller: Api, doors: Doors
) -> None:
    """After each update of a job one more joins: all see the state that they found, and what follows."""
    truth = await submit(caller)
    joined: list[tuple[JsonObject, Reader]] = []
    async with asyncio.TaskGroup() as tasks:
        async for _ in write(truth, doors):
            reader = Reader(transport, caller, truth)
            joined.append((truth.views[-1], reader))
            tasks.create_task(reader.read())
            await reader.came.wait()

    for found, reader in joined:
        assert transport.seen(reader.views[0]) == transport.seen(found)
        truth.check(transport, reader.views)


async def test_whoever_comes_after_the_end_is_given_the_whole(
    transport: Transport, caller: Api, doors: Doors
) -> None:
    """Also once the log holds nothing but its end."""
    truth = await submit(caller)
    await finish(write(truth, doors))

    late = await Reader(transport, caller, truth).read()
    await trim(doors, truth.job_id)
    latest = await Reader(transport, caller, truth).read()

    truth.check(transport, late)
    truth.check(transport, latest)


async def test_whoever_leaves_after_each_update_misses_nothing(
    transport: Transport, caller: Api, doors: Doors
) -> None:
    """A client that is cut off again and again, and resumes with what it holds, comes to the same end."""
    truth = await submit(caller)
    held: JsonObject | None = None
    views: list[JsonObject] = []
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(finish(write(truth, doors)))
        while held is None or held["state"] not in TERMINAL:
            async with aclosing(transport.follow(caller, truth.job_id, held)) as following:
                held = await anext(following)
            views.append(held)

    truth.check(transport, views)


async def test_whoever_returns_after_the_end_is_told_the_rest(
    transport: Transport, caller: Api, doors: Doors
) -> None:
    """From whatever place, before and after the log is trimmed; who saw the end is told nothing more."""
    truth = await submit(caller)
    await finish(write(truth, doors))

    for trimmed in (False, True):
        for held in truth.views[:-1]:
            truth.check(transport, await Reader(transport, caller, truth, held).read())
        assert await Reader(transport, caller, truth, truth.views[-1]).read() == []
        if not trimmed:
            await trim(doors, truth.job_id)


async def test_whoever_saw_what_the_store_lost_is_set_right(
    transport: Transport, caller: Api, doors: Doors, redis: Client
) -> None:
    """A store that comes back without its newest writes, and others at their numbers, leaves nobody with the lost."""
    truth = await submit(caller)
    hand = await take_in_hand(doors, truth.job_id)
    await truth.note()
    async with asyncio.TaskGroup() as tasks:
        reader = Reader(transport, caller, truth)
        tasks.create_task(reader.read())
        await reader.came.wait()
        kept = await copy_of(redis)
        for percent in (10, 20, 30):
            await hand.write(hand.progress(percent=percent))
        lost = told(await caller.poll(truth.job_id))
        await restore(redis, kept)
        await doors.lose(hand.claim)
        hand = await take_in_hand(doors, truth.job_id, token="another")
        await truth.note()
        for processed in (1, 2):
            await hand.write(hand.progress(processed=processed))
            await truth.note()
        await hand.write(hand.end(State.COMPLETED))
        await truth.note()

    returned = await Reader(transport, caller, truth, lost).read()

    for views in (reader.views, returned):
        assert transport.seen(views[-1]) == transport.seen(truth.views[-1])
    assert lost["seq"] == truth.views[-2]["seq"]
