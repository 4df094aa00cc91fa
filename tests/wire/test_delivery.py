"""Listeners who are written to without a task: whatever befalls messages, clients and store, each hears every entry
once and in order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.delivery import Delivery
from service.feed import PING_SECONDS, UNWELL_SECONDS, Bounds, Bye, Feed
from service.hub import CHECK_SECONDS, Hub
from tests.service.hasty import run_hastily
from tests.service.test_follow import FAULTS, PLACES, PLOTS, Plot, write
from tests.service.unreliable import START, FakeStore, Faults
from tests.wire.pushing import FOR_EVER, LONGEST_SILENCE, SEND_SECONDS, Client, ClumsyStore

PATIENCE_SECONDS = 200.0
CALM = Plot()
SLOW = (0.0, 0.0, 0.3, 5.0, 20.0)
"""How long each client may take for what waits for it."""


@asynccontextmanager
async def delivering(store: FakeStore) -> AsyncIterator[tuple[Delivery, Feed]]:
    """A delivery whose clients have all gone when the block ends, and left nothing."""
    hub = Hub(store.subscribe)
    feed = Feed(store.log, hub)
    delivery = Delivery(feed, hub)
    async with hub.running(), delivery.running():
        await asyncio.sleep(0.1)
        yield delivery, feed
        await asyncio.sleep(1)
        assert (hub.followed, delivery.walks) == (0, 0)


async def tell(
    store: FakeStore, plot: Plot = CALM, *, entries: int = 150, leaves: float = 0.0, slow: bool = True
) -> list[Client]:
    """Clients who follow one log while it is written; all come to its end."""
    clients = [
        Client(store, after=after, slow=pace if slow else 0.0, leaves=leaves)
        for after, pace in zip(PLACES * 2, SLOW * 2, strict=True)
    ]
    async with delivering(store) as (delivery, _):
        writing = asyncio.create_task(write(store, plot, entries))
        following = [asyncio.create_task(_follow_later(store, client, delivery)) for client in clients]
        await writing
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*following)
    return clients


async def _follow_later(store: FakeStore, client: Client, delivery: Delivery) -> None:
    await asyncio.sleep(store.random.choice([0.0, 0.5, 7.0]))
    await client.follow(delivery)


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_every_entry_comes_once_and_in_order_at_whatever_pace(faults: Faults, seed: int) -> None:
    """Each follows the one before it, up to the end; nothing is written to a client that takes nothing."""
    store = ClumsyStore(seed, faults)

    clients = run_hastily(tell(store))

    assert {client.place for client in clients} == {store.log.end}


@pytest.mark.parametrize("seed", range(15))
@pytest.mark.parametrize("faults", [FAULTS["calm"], FAULTS["all of it"]], ids=["calm", "all of it"])
@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_a_log_that_ends_again_loses_its_front_or_is_rewritten_never_skips_in_silence(
    plot: Plot, faults: Faults, seed: int
) -> None:
    """What a client holds goes on by the very next entry, or by a snapshot that says why."""
    store = ClumsyStore(seed, faults, snapshot_bytes=plot.snapshot_bytes)

    clients = run_hastily(tell(store, plot, leaves=0.02))

    assert {client.place for client in clients} == {store.log.end}


@pytest.mark.parametrize("seed", range(40))
def test_no_entry_waits_for_a_ping_while_no_message_is_lost(seed: int) -> None:
    """However clients come and go while others read, and while the connection is cut; and nobody hears nothing."""
    store = ClumsyStore(seed, Faults(cut=0.1))

    clients = run_hastily(tell(store, leaves=0.1, slow=False))

    assert max(client.longest_wait for client in clients) < PING_SECONDS / 2
    assert max(client.longest_silence for client in clients) < LONGEST_SILENCE


class PromptStore(FakeStore):
    """A store that answers at once and loses nothing, until a test wants otherwise."""

    def __init__(self) -> None:
        super().__init__(0, Faults())

    def moment(self) -> float:
        return 0.0


@asynccontextmanager
async def listening(
    store: FakeStore, delivery: Delivery, *, clients: int = 1, bounds: Bounds = FOR_EVER
) -> AsyncIterator[list[Client]]:
    """Clients who are caught up; they have left when the block ends."""
    found = [Client(store, after=START) for _ in range(clients)]
    tasks = [asyncio.create_task(client.listen(delivery, bounds)) for client in found]
    await asyncio.sleep(0.1)
    yield found
    for client, task in zip(found, tasks, strict=True):
        if not task.done():
            client.leave()
    await asyncio.wait(tasks)


def test_nobody_who_is_caught_up_has_a_task_or_reads_the_log() -> None:
    """Entries come from the announcements alone, however many listen."""

    async def scene() -> tuple[int, int, list[Client]]:
        store = PromptStore()
        async with delivering(store) as (delivery, _), listening(store, delivery, clients=20) as clients:
            reads, walks = store.log.reads, 0
            for _ in range(300):
                store.write()
                await asyncio.sleep(0.01)
                walks = max(walks, delivery.walks)
        return store.log.reads - reads, walks, clients

    reads, walks, clients = run_hastily(scene())

    assert (reads, walks) == (0, 0)
    assert all(len(client.said) == 300 for client in clients)


def test_silence_costs_one_look_at_the_log_and_a_ping_for_each_client() -> None:
    """Whoever listens to the same job shares the look."""

    async def scene() -> tuple[int, list[Client]]:
        store = PromptStore()
        async with delivering(store) as (delivery, _), listening(store, delivery, clients=20) as clients:
            reads = store.log.calls
            await asyncio.sleep(2 * PING_SECONDS + 1)
            return store.log.calls - reads, clients

    calls, clients = run_hastily(scene())

    assert calls == 2
    assert all(client.said == [f"quiet {START}"] * 2 for client in clients)


def test_a_last_entry_whose_message_was_lost_comes_instead_of_the_ping() -> None:
    """The log is asked before anybody is told that there is nothing new."""

    async def scene() -> list[str]:
        store = PromptStore()
        async with delivering(store) as (delivery, _), listening(store, delivery) as (client,):
            store.faults = Faults(lost=1.0)
            end = store.write("end")
            await asyncio.sleep(PING_SECONDS + 1)
            assert client.place == end.cursor
            return client.said

    assert [line.split()[0] for line in run_hastily(scene())] == ["end"]


def test_a_subscription_that_is_lost_makes_everybody_a_second_late_at_most() -> None:
    """The log is asked once a second for all of them, until messages arrive again."""

    async def scene() -> tuple[float, int]:
        store = PromptStore()
        async with delivering(store) as (delivery, _), listening(store, delivery, clients=20) as clients:
            store.takes_subscriptions = False
            store.cut()
            await asyncio.sleep(CHECK_SECONDS)
            calls = store.log.calls
            for _ in range(10):
                store.write()
                await asyncio.sleep(3.3)
            return max(client.longest_wait for client in clients), store.log.calls - calls

    wait, calls = run_hastily(scene())

    assert 0 < wait <= UNWELL_SECONDS + 0.01
    assert calls <= 2 * 33 + 10


def test_a_client_that_takes_nothing_is_dropped_and_the_others_hear_everything() -> None:
    """After the time that a send may take; it costs neither a task nor more memory meanwhile."""

    async def scene() -> tuple[Client, Client]:
        store = PromptStore()
        stuck, other = Client(store, after=START, slow=10_000.0), Client(store, after=START)
        async with delivering(store) as (delivery, _):
            listening = [asyncio.create_task(each.listen(delivery)) for each in (stuck, other)]
            await asyncio.sleep(1)
            for _ in range(20):
                store.write()
                await asyncio.sleep(1)
                assert delivery.walks == 0
            assert not listening[0].done()
            await asyncio.sleep(SEND_SECONDS)
            assert listening[0].done()
            store.write("end")
            await asyncio.wait(listening)
        return stuck, other

    stuck, other = run_hastily(scene())

    assert stuck.said == []
    assert [line.split()[0] for line in other.said] == [*["delta"] * 20, "quiet", "quiet", "end"]


def test_everybody_hears_farewell_at_the_deadline_and_when_the_process_stops() -> None:
    """Those who are caught up, those who are not, and those who take nothing."""

    async def scene() -> tuple[list[str], list[str]]:
        store = PromptStore()
        soon = Bounds(4.0, Bye("unauthorized"))
        async with (
            delivering(store) as (delivery, feed),
            listening(store, delivery, bounds=soon) as (one,),
            listening(store, delivery) as (other,),
        ):
            await asyncio.sleep(5)
            feed.stop()
            await asyncio.sleep(1)
        return one.said, other.said

    assert run_hastily(scene()) == (["bye unauthorized"], ["bye shutdown"])


@pytest.mark.parametrize("lost", [0.0, 1.0])
def test_a_job_deleted_under_its_listeners_is_told_as_gone(lost: float) -> None:
    """At once, or with the next ping where the message that says so was lost."""

    async def scene() -> tuple[list[str], list[str]]:
        store = PromptStore()
        async with delivering(store) as (delivery, _), listening(store, delivery) as (client,):
            store.faults = Faults(lost=lost)
            store.delete()
            await asyncio.sleep(1)
            soon = list(client.said)
            await asyncio.sleep(PING_SECONDS)
            return soon, client.said

    soon, later = run_hastily(scene())

    assert soon == ([] if lost else ["gone"])
    assert later == ["gone"]
