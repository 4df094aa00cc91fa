"""What many readers of one job want at once is read from the store once, and nobody is given what is out of date."""

import asyncio
import random

import pytest

from jobs.errors import StoreUnavailable
from jobs.model import JobId
from jobs.shared import Shared
from jobs.snapshot import Story
from jobs.updates import Cursor
from service.feed import PING_SECONDS, Bounds, Bye, Feed, Told
from service.hub import Hub
from service.library import Library
from tests.service.hasty import run_hastily
from tests.service.unreliable import JOB, FakeLog, FakeStore, Faults

FOR_EVER = Bounds(deadline=float("inf"), farewell=Bye("rotate"))
READERS = 300


class CountedLog(FakeLog):
    """A log that counts how often its story was read."""

    stories = 0

    async def story(self, job_id: JobId) -> Story:
        self.stories += 1
        return await super().story(job_id)


class CountedStore(FakeStore):
    """A store of which something is sometimes slow, and nothing goes wrong until a test wants it to."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed, Faults())
        self.log: CountedLog = CountedLog(self, 1_000_000)


async def read(store: FakeStore, library: Library) -> Story:
    """The story; one that was out of date when it was asked for is an error."""
    newest = store.log.newest.cursor
    story = await library.newest(JOB)
    assert story.cursor >= newest
    return story


async def some_time(dice: random.Random, seconds: float) -> None:
    await asyncio.sleep(dice.uniform(0, seconds))


@pytest.mark.parametrize("seed", range(30))
def test_no_story_is_older_than_the_question(seed: int) -> None:
    """However readings, questions and updates fall together, and whoever gives up in between."""

    async def scene() -> int:
        store, dice = CountedStore(seed), random.Random(seed)
        library = Library(store.log)

        async def ask() -> None:
            await some_time(dice, 10)
            asking = asyncio.create_task(read(store, library))
            if dice.random() < 0.2:
                await some_time(dice, 0.02)
                asking.cancel()
            await asyncio.wait({asking})
            assert asking.cancelled() or asking.result()

        async with asyncio.TaskGroup() as tasks:
            for _ in range(READERS):
                tasks.create_task(ask())
            for _ in range(20):
                await some_time(dice, 0.5)
                store.write()
        return store.log.stories

    assert run_hastily(scene()) < READERS / 2


@pytest.mark.parametrize("seed", range(10))
def test_a_story_that_nothing_changes_is_read_once(seed: int) -> None:
    """By readers who come all at once, and by those who come later."""

    async def scene() -> int:
        store, dice = CountedStore(seed), random.Random(seed)
        library = Library(store.log)
        await asyncio.gather(*(read(store, library) for _ in range(READERS)))
        for _ in range(READERS):
            await some_time(dice, 1)
            await read(store, library)
        return store.log.stories

    assert run_hastily(scene()) == 1


@pytest.mark.parametrize("seed", range(10))
def test_a_storm_of_listeners_costs_one_story_and_few_pages(seed: int) -> None:
    """New ones are given the same story; those who return to the same place find it in the tail."""

    async def scene() -> tuple[int, int]:
        store, dice = CountedStore(seed), random.Random(seed)
        for _ in range(50):
            store.write()
        place, hub = store.log.newest.cursor, Hub(store.subscribe)
        feed = Feed(store.log, hub)

        async def listen(after: Cursor | None) -> None:
            await some_time(dice, 2)
            async for item in feed.follow(JOB, after, FOR_EVER):
                assert isinstance(item, list) or (isinstance(item, Told) and after is None)
                if isinstance(item, list):
                    return

        async with hub.running(), asyncio.TaskGroup() as listeners:
            for number in range(READERS):
                listeners.create_task(listen(place if number % 2 else None))
            await asyncio.sleep(10)
            store.write()
        return store.log.stories, store.log.reads

    stories, pages = run_hastily(scene())

    assert stories == 1
    assert pages < READERS / 10


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("faults", [Faults(), Faults(cut=0.3)], ids=["calm", "cut"])
def test_sharing_makes_nobody_late(faults: Faults, seed: int) -> None:
    """Whoever joins from any place hears each entry long before a ping is due, unless its loss goes unnoticed."""

    async def scene() -> float:
        store, dice = CountedStore(seed), random.Random(seed)
        store.faults = faults
        hub = Hub(store.subscribe)
        feed, clock = Feed(store.log, hub), asyncio.get_running_loop().time
        written_at: dict[Cursor, float] = {}
        lateness = [0.0]

        async def listen() -> None:
            await some_time(dice, 200)
            joined_at, place = clock(), dice.choice([None, *written_at][:16])
            async for item in feed.follow(JOB, place, FOR_EVER):
                heard = item if isinstance(item, list) else []
                lateness.extend(clock() - max(joined_at, written_at[entry.cursor]) for entry in heard)

        async with hub.running(), asyncio.TaskGroup() as listeners:
            for _ in range(80):
                listeners.create_task(listen())
            for number in range(16):
                written_at[store.write("delta" if number < 15 else "end").cursor] = clock()
                await some_time(dice, 30)
        return max(lateness)

    assert run_hastily(scene()) < PING_SECONDS * 0.75


def test_a_lost_message_that_one_listener_finds_is_found_for_all() -> None:
    """Whoever asks the log after a silence lets the others know that what they share lacks something."""

    async def scene() -> list[float]:
        store = CountedStore(0)
        hub = Hub(store.subscribe)
        feed, clock = Feed(store.log, hub), asyncio.get_running_loop().time
        place = store.write().cursor

        async def listen(later: float) -> float:
            await asyncio.sleep(later)
            async for _ in feed.follow(JOB, place, FOR_EVER):
                return clock()
            raise AssertionError("the feed ended")

        async with hub.running():
            listening = [asyncio.create_task(listen(later)) for later in (1, 9, 9)]
            await asyncio.sleep(10)
            store.faults = Faults(lost=1.0)
            store.write()
            return await asyncio.gather(*listening)

    first, *others = run_hastily(scene())

    assert max(others) - first < 3


async def test_an_error_is_shared_and_a_fetcher_who_gives_up_is_replaced() -> None:
    """Nobody waits for ever for an answer that never comes, and nothing is left behind."""
    shared: Shared[str, int] = Shared()
    begun: list[str] = []

    async def fetch() -> int:
        begun.append("fetch")
        await asyncio.sleep(0.01)
        if len(begun) > 1:
            raise StoreUnavailable
        return 1

    first, *others = [asyncio.create_task(shared.get("key", fetch)) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    outcomes = await asyncio.gather(first, *others, return_exceptions=True)

    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes[1:])
    assert (len(begun), len(shared)) == (2, 0)


async def test_a_fresh_answer_is_fetched_after_the_question() -> None:
    """All who ask while one is being fetched share the next; that the store is away is told to them at once."""
    shared: Shared[str, int] = Shared()
    begun: list[str] = []

    async def fetch() -> int:
        begun.append("fetch")
        number = len(begun)
        await asyncio.sleep(0.01)
        if number > 2:
            raise StoreUnavailable
        return number

    async def ask() -> list[int | BaseException]:
        asking = [asyncio.create_task(shared.get_fresh("key", fetch)) for _ in range(5)]
        return await asyncio.gather(*asking, return_exceptions=True)

    answers, refusals = await ask(), await ask()

    assert answers == [1, 2, 2, 2, 2]
    assert all(isinstance(refusal, StoreUnavailable) for refusal in refusals)
    assert len(begun) == 3


def test_a_page_is_shared_only_by_those_who_have_seen_the_same() -> None:
    """Whoever was woken since another began to read may know of more than that one will be told."""

    async def scene() -> int:
        store = CountedStore(0)
        library, place = Library(store.log), store.log.newest.cursor
        await asyncio.gather(*(library.page(JOB, place, seen) for seen in (1, 1, 2, 1, 2)))
        return store.log.reads

    assert run_hastily(scene()) == 2
