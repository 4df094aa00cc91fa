"""The follow loop against a store whose messages get lost, late, doubled and cut off: every entry once, in order."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from jobs.updates import Cursor
from service.feed import PING_SECONDS, Bounds, Bye, Feed, Gone, Item, Quiet, Told
from service.hub import Hub
from tests.service.hasty import run_hastily
from tests.service.unreliable import JOB, START, FakeStore, Faults

FOR_EVER = Bounds(deadline=float("inf"), farewell=Bye("rotate"))
PATIENCE_SECONDS = 120.0
"""What followers may take to notice all that was lost, on a clock that jumps."""

PAUSES = (0.0, 0.001, 0.1, 1.0, 5.0, 40.0)
"""Between bursts; after the longest, nothing but a ping would bring what was missed."""

PLACES = (None, START, None, Cursor(1, 17), Cursor(5, 40))
FAULTS = {
    "calm": Faults(),
    "lossy": Faults(lost=0.05),
    "deaf": Faults(lost=1.0),
    "muddled": Faults(late=0.1, repeated=0.1),
    "cut": Faults(cut=0.02),
    "frozen": Faults(frozen=0.01),
    "all of it": Faults(lost=0.1, late=0.05, repeated=0.05, cut=0.02, frozen=0.005, refused=0.2),
}


class Follower:
    """Somebody who follows to the last end, leaves and returns now and then, and checks all that it is given."""

    def __init__(self, store: FakeStore, feed: Feed, *, after: Cursor | None, leaves: float = 0.0) -> None:
        self._store = store
        self._feed = feed
        self._leaves = leaves
        self.place = after
        self.reasons: list[str] = []
        self.gone = False
        self.longest_wait = 0.0
        """For an entry, from when it was written, or its follower came, until it arrived."""

    async def follow(self) -> None:
        """Return at the end of the last run, or when the job is gone."""
        while not self.gone and (self.place is None or self.place != self._store.log.end):
            free_at = _now()
            async with aclosing(self._feed.follow(JOB, self.place, FOR_EVER)) as items:
                async for item in items:
                    self._take(item, free_at)
                    await asyncio.sleep(self._store.moment())
                    free_at = _now()
                    if self._store.happens(self._leaves):
                        break

    def _take(self, item: Item, free_at: float) -> None:
        match item:
            case list():
                for entry in item:
                    assert self._store.log.before[entry.cursor] == self.place
                    assert not entry.last or entry is item[-1]
                    self.place = entry.cursor
                    wait = _now() - max(self._store.log.written_at[entry.cursor], free_at)
                    self.longest_wait = max(self.longest_wait, wait)
            case Told(story=story, reason=reason):
                assert (reason == "initial") == (self.place is None)
                assert reason != "gap" or self.place not in self._store.log.held
                self.reasons.append(reason)
                self.place = story.cursor_before_end
            case Quiet(cursor=cursor):
                assert cursor == self.place
            case Gone():
                assert self._store.log.deleted
                self.gone = True
            case Bye():
                raise AssertionError("nobody said farewell")


@dataclass(frozen=True)
class Plot:
    """What happens while the log is written, beside the faults: how likely at each entry."""

    ends: float = 0.0
    rolled_back: float = 0.0
    trimmed: float = 0.0
    snapshot_bytes: int = 1_000_000


PLOTS = {
    "several runs": Plot(ends=0.05),
    "trimmed": Plot(trimmed=0.05),
    "rewritten": Plot(rolled_back=0.05),
    "all of it": Plot(ends=0.05, trimmed=0.03, rolled_back=0.03, snapshot_bytes=1500),
}


async def write(store: FakeStore, plot: Plot, entries: int) -> None:
    """Write so many entries in bursts; then the last end."""
    for _ in range(entries):
        store.write("end" if store.happens(plot.ends) else "delta")
        if store.happens(plot.rolled_back):
            store.roll_back(store.random.randrange(1, 9))
        if store.happens(plot.trimmed):
            store.log.trim(store.random.randrange(1, 40))
        if store.happens(0.3):
            await asyncio.sleep(store.random.choice(PAUSES))
    store.log.end = store.write("end").cursor


async def tell(store: FakeStore, plot: Plot = Plot(), *, entries: int = 150, leaves: float = 0.0) -> list[Follower]:
    """Several followers, from several places and moments on, of one log while it is written; all come to its end."""
    hub = Hub(store.subscribe)
    feed = Feed(store.log, hub)
    followers = [Follower(store, feed, after=place, leaves=leaves) for place in PLACES]
    async with hub.running():
        writing = asyncio.create_task(write(store, plot, entries))
        following = [asyncio.create_task(_follow_later(store, follower)) for follower in followers]
        await writing
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*following)
    assert hub.followed == 0
    return followers


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _follow_later(store: FakeStore, follower: Follower) -> None:
    await asyncio.sleep(store.random.choice([0.0, 0.5, 7.0]))
    await follower.follow()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_every_entry_comes_once_and_in_order(faults: Faults, seed: int) -> None:
    """Whatever befalls the messages: each entry follows the one before it, up to the end, without a jump."""
    store = FakeStore(seed, faults)

    followers = run_hastily(tell(store))

    assert {follower.place for follower in followers} == {store.log.end}
    assert {reason for follower in followers[:3] for reason in follower.reasons} == {"initial"}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("faults", [FAULTS["calm"], FAULTS["all of it"]], ids=["calm", "all of it"])
@pytest.mark.parametrize("plot", PLOTS.values(), ids=PLOTS)
def test_a_log_that_ends_again_loses_its_front_or_is_rewritten_never_skips_in_silence(
    plot: Plot, faults: Faults, seed: int
) -> None:
    """What a follower holds goes on by the very next entry, or by a snapshot that says why."""
    store = FakeStore(seed, faults, snapshot_bytes=plot.snapshot_bytes)

    followers = run_hastily(tell(store, plot, leaves=0.02))

    assert {follower.place for follower in followers} == {store.log.end}


@pytest.mark.parametrize("seed", range(60))
def test_no_entry_waits_for_a_ping_while_no_message_is_lost(seed: int) -> None:
    """However listeners come and go while others read, and while the connection is cut."""
    store = FakeStore(seed, Faults(cut=0.1))

    followers = run_hastily(tell(store, leaves=0.1))

    assert max(follower.longest_wait for follower in followers) < PING_SECONDS / 2
