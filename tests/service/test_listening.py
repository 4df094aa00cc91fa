"""What a listener is told and when, on a clock that jumps: at once, a second later, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from jobs.updates import Cursor
from service.feed import PING_SECONDS, UNWELL_SECONDS, Bounds, Bye, Feed, Gone, Item, Quiet, Told
from service.hub import CHECK_SECONDS, CONFIRM_SECONDS, PAUSE_SECONDS, Hub
from tests.service.hasty import run_hastily
from tests.service.unreliable import JOB, START, TICK, FakeStore, Faults

FOR_EVER = Bounds(deadline=float("inf"), farewell=Bye("rotate"))


class PromptStore(FakeStore):
    """A store that answers at once and loses nothing, until a test wants otherwise."""

    def __init__(self, *, snapshot_bytes: int = 1_000_000) -> None:
        super().__init__(0, Faults(), snapshot_bytes=snapshot_bytes)

    def moment(self) -> float:
        return 0.0


class Listener:
    """Somebody who follows the job to its end, and notes when each item came."""

    def __init__(self, feed: Feed, *, after: Cursor | None = START, bounds: Bounds = FOR_EVER) -> None:
        self._follow = feed.follow(JOB, after, bounds)
        self.items: list[Item] = []
        self.came_at: dict[Cursor, float] = {}

    async def listen(self) -> None:
        async with aclosing(self._follow) as items:
            async for item in items:
                self.items.append(item)
                if isinstance(item, list):
                    self.came_at |= {entry.cursor: now() for entry in item}


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def listening(store: FakeStore, *, listeners: int = 1, **how: object) -> AsyncIterator[list[Listener]]:
    """Listeners to the job, who have heard what there is; they have left when the block ends."""
    hub = Hub(store.subscribe)
    feed = Feed(store.log, hub)
    async with hub.running():
        await asyncio.sleep(0.1)
        found = [Listener(feed, **how) for _ in range(listeners)]  # type: ignore[arg-type]
        tasks = [asyncio.create_task(listener.listen()) for listener in found]
        await asyncio.sleep(0.1)
        try:
            yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    assert hub.followed == 0


async def lateness(store: FakeStore, listener: Listener, *, entries: int = 8, every: float = 3.3) -> float:
    """By how much the latest of some entries came after it was written."""
    late = 0.0
    for _ in range(entries):
        entry, written_at = store.write(), now()
        await asyncio.sleep(every)
        late = max(late, listener.came_at[entry.cursor] - written_at)
    return late


def test_no_listener_reads_the_log_while_nothing_is_lost() -> None:
    """Entries come from the shared tail alone, however many listen."""

    async def scene() -> tuple[int, list[Listener]]:
        store = PromptStore()
        async with listening(store, listeners=20) as listeners:
            read_before = store.log.reads
            for _ in range(600):
                store.write()
                await asyncio.sleep(0.01)
            return store.log.reads - read_before, listeners

    reads, listeners = run_hastily(scene())

    assert reads == 0
    assert all(len(listener.came_at) == 600 for listener in listeners)


def test_the_log_is_asked_every_second_while_no_entry_arrives_by_itself() -> None:
    """A store that takes no subscription only makes its listeners a second late."""

    async def scene() -> float:
        store = PromptStore()
        store.takes_subscriptions = False
        async with listening(store) as (listener,):
            return await lateness(store, listener)

    assert 0 < run_hastily(scene()) <= UNWELL_SECONDS + TICK


def test_a_subscription_that_was_cut_is_taken_up_again() -> None:
    """Not once but each time, and then entries come by themselves again."""

    async def scene() -> list[tuple[float, int]]:
        store = PromptStore()
        async with listening(store) as (listener,):
            found = []
            for _ in range(3):
                store.cut()
                await asyncio.sleep(CONFIRM_SECONDS + PAUSE_SECONDS)
                read_before = store.log.reads
                found.append((await lateness(store, listener), store.log.reads - read_before))
            return found

    assert all(late < 0.001 and reads == 0 for late, reads in run_hastily(scene()))


def test_a_subscription_that_died_without_a_word_is_found_out() -> None:
    """Within two checks, long before the next ping would ask the log."""

    async def scene() -> tuple[float, float]:
        store = PromptStore()
        async with listening(store) as (listener,):
            store.freeze()
            first = await lateness(store, listener, entries=1, every=PING_SECONDS)
            return first, await lateness(store, listener)

    first, later = run_hastily(scene())

    assert first <= 2 * CHECK_SECONDS + TICK
    assert later < 0.001


def test_a_job_first_followed_while_the_hub_connects_is_subscribed_too() -> None:
    """Whenever a listener comes, before or between the hub's connections, entries come to it by themselves."""

    async def scene(moment: float) -> float:
        store = PromptStore()
        store.moment = lambda: 0.05  # type: ignore[method-assign]
        hub = Hub(store.subscribe)
        listener = Listener(Feed(store.log, hub))
        async with hub.running():
            await asyncio.sleep(moment)
            async with asyncio.timeout(2 * PING_SECONDS), asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(listener.listen())
                await asyncio.sleep(CONFIRM_SECONDS + CHECK_SECONDS)
                late = await lateness(store, listener)
                listening.cancel()
        return late

    assert all(run_hastily(scene(tenth / 100)) < 0.1 for tenth in range(20))


def test_whoever_leaves_before_the_subscription_stands_leaves_nothing_behind() -> None:
    """However early a listener gives up, the hub forgets the job."""

    async def scene(moment: float) -> int:
        store = PromptStore()
        store.moment = lambda: 0.05  # type: ignore[method-assign]
        hub = Hub(store.subscribe)
        async with hub.running():
            await asyncio.sleep(0.2)
            listening = asyncio.create_task(Listener(Feed(store.log, hub)).listen())
            await asyncio.sleep(moment)
            listening.cancel()
            await asyncio.wait([listening])
            return hub.followed

    assert [run_hastily(scene(moment)) for moment in (0.0, 0.001, 0.06, 0.5)] == [0, 0, 0, 0]


def test_silence_is_broken_by_a_ping_with_the_newest_cursor() -> None:
    """Every 15 s, counted from the last thing told."""

    async def scene() -> tuple[FakeStore, list[Item]]:
        store = PromptStore()
        async with listening(store) as (listener,):
            await asyncio.sleep(10)
            store.write()
            await asyncio.sleep(2 * PING_SECONDS + 1)
            return store, listener.items

    store, (written, *pings) = run_hastily(scene())

    assert written == [store.log.newest]
    assert pings == [Quiet(store.log.newest.cursor)] * 2


def test_a_last_entry_whose_message_was_lost_comes_instead_of_the_ping() -> None:
    """The log is asked before anybody is told that there is nothing new."""

    async def scene() -> tuple[FakeStore, list[Item]]:
        store = PromptStore()
        async with listening(store) as (listener,):
            store.faults = Faults(lost=1.0)
            store.write("end")
            await asyncio.sleep(PING_SECONDS + 1)
            return store, listener.items

    store, items = run_hastily(scene())

    assert items == [[store.log.newest]]


@pytest.mark.parametrize("lost", [0.0, 1.0])
def test_a_job_deleted_under_a_listener_is_told_as_gone(lost: float) -> None:
    """At once, or with the next ping where the message that says so was lost."""

    async def scene() -> tuple[list[Item], list[Item]]:
        store = PromptStore()
        async with listening(store) as (listener,):
            store.faults = Faults(lost=lost)
            store.delete()
            await asyncio.sleep(1)
            soon = list(listener.items)
            await asyncio.sleep(PING_SECONDS)
            return soon, listener.items

    soon, later = run_hastily(scene())

    assert soon == ([] if lost else [Gone()])
    assert later == [Gone()]


def test_a_listener_hears_farewell_at_its_deadline_and_when_the_process_stops() -> None:
    """Even in the middle of silence, and nothing after it."""

    async def scene() -> tuple[list[Item], list[Item]]:
        store = PromptStore()
        hub = Hub(store.subscribe)
        feed = Feed(store.log, hub)
        one = Listener(feed, bounds=Bounds(deadline=4.0, farewell=Bye("unauthorized")))
        other = Listener(feed)
        async with hub.running(), asyncio.TaskGroup() as tasks:
            tasks.create_task(one.listen())
            tasks.create_task(other.listen())
            await asyncio.sleep(4.5)
            first = list(one.items)
            feed.stop()
        return first, other.items

    assert run_hastily(scene()) == ([Bye("unauthorized")], [Bye("shutdown")])


def test_a_listener_that_is_far_behind_is_given_a_snapshot_where_that_is_cheaper() -> None:
    """Told as slow, and then all that follows it."""

    async def scene(snapshot_bytes: int) -> list[Item]:
        store = PromptStore(snapshot_bytes=snapshot_bytes)
        for _ in range(30):
            store.write()
        store.write("end")
        async with listening(store) as (listener,):
            return listener.items

    dear, cheap = run_hastily(scene(100 * 31)), run_hastily(scene(100 * 31 - 1))

    assert [entry.seq for item in dear if isinstance(item, list) for entry in item] == list(range(2, 33))
    assert isinstance(cheap[0], Told)
    assert (cheap[0].reason, len(cheap)) == ("slow", 2)


def test_a_store_that_is_away_ends_no_stream() -> None:
    """Its listeners are pinged meanwhile, and go on when it is back."""

    async def scene() -> tuple[list[Item], float]:
        store = PromptStore()
        async with listening(store) as (listener,):
            store.faults, store.takes_subscriptions = Faults(refused=1.0), False
            store.cut()
            await asyncio.sleep(PING_SECONDS + 1)
            meanwhile = list(listener.items)
            store.faults, store.takes_subscriptions = Faults(), True
            return meanwhile, await lateness(store, listener)

    meanwhile, late = run_hastily(scene())

    assert meanwhile == [Quiet(START)]
    assert late <= UNWELL_SECONDS + TICK


def test_a_store_that_is_away_is_asked_once_a_second() -> None:
    """Also for a listener who has heard nothing yet, to whom there is nothing to say."""

    async def scene() -> int:
        store = PromptStore()
        store.faults, store.takes_subscriptions = Faults(refused=1.0), False
        async with listening(store, after=None):
            await asyncio.sleep(4 * PING_SECONDS)
            return store.log.calls

    assert run_hastily(scene()) <= 4 * PING_SECONDS / UNWELL_SECONDS + 5


def test_what_was_read_for_those_who_have_left_is_not_told_to_those_who_come_later() -> None:
    """The store may have lost it since, and have written something else in its place."""

    async def scene() -> tuple[list[int], list[int]]:
        store = PromptStore()
        feed = Feed(store.log, hub := Hub(store.subscribe))

        async def heard() -> list[int]:
            async with aclosing(feed.follow(JOB, START, FOR_EVER)) as items:
                async for item in items:
                    return [entry.cursor.us for entry in item] if isinstance(item, list) else []
            return []

        async with hub.running():
            await asyncio.sleep(0.1)
            for _ in range(5):
                store.write()
            await heard()
            store.roll_back(3)
            await asyncio.sleep(CONFIRM_SECONDS)
            for _ in range(3):
                store.write()
            return await heard(), [entry.cursor.us for entry in store.log.entries[1:]]

    told, kept = run_hastily(scene())

    assert told == kept
