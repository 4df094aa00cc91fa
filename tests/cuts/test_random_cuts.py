"""A thousand connections cut at random, and what is behind them killed: nothing is lost, doubled or reordered."""

import asyncio
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path

from tests.chaos.arena import patiently
from tests.cuts.author import PatientDoors
from tests.cuts.conftest import SEED
from tests.cuts.crowd import Crowd, new_authors, polled, reading
from tests.cuts.fates import fates
from tests.cuts.processes import restart, running_api
from tests.cuts.proxy import Proxy, dial_http, dial_store, open_proxy
from tests.figures import Say
from tests.jobs.patience import until
from tests.system import System
from tests.valkey import ValkeyProcess

CUTS = int(os.environ.get("JOBSTREAM_CUTS", "1000"))
JOBS = 3
PATIENCE_SECONDS = 60.0 + CUTS / 2


class Strike(Enum):
    """What befalls the processes behind the connections."""

    API_KILLED = "the API killed"
    API_STOPPED = "the API told to stop"
    STORE_KILLED = "the store killed"
    STORE_RESTARTED = "the store restarted"


STRIKES = {
    Strike.API_KILLED: 3,
    Strike.API_STOPPED: 3,
    Strike.STORE_KILLED: 2,
    Strike.STORE_RESTARTED: 2,
}
"""How many there are of each in a thousand cuts."""


@dataclass
class Storm:
    """Strikes one after the other, each after its share of the cuts."""

    system: System
    store: ValkeyProcess
    proxy: Proxy

    def __post_init__(self) -> None:
        self.struck: Counter[Strike] = Counter()
        self.killed_subscriptions = 0
        self._due = [strike for strike, times in STRIKES.items() for _ in range(max(1, times * CUTS // 1000))]
        random.Random(SEED).shuffle(self._due)  # a storm must be able to happen again
        self._apart = CUTS // (len(self._due) + 1)

    @property
    def over(self) -> bool:
        """Whether every strike has come, and cuts enough."""
        return not self._due and self.proxy.cuts >= CUTS

    async def rage(self) -> None:
        """Strike until nothing is due."""
        while self._due:
            moment = self.struck.total() * self._apart + self._apart
            await until(partial(self._have_cut, moment), seconds=PATIENCE_SECONDS)
            await self._strike(self._due[0])
            self.struck[self._due.pop(0)] += 1

    async def deafen(self, doors: PatientDoors) -> None:
        """Kill the service's subscription each second."""
        while not self.over:
            self.killed_subscriptions += await patiently(doors.deafen)
            await asyncio.sleep(1)

    async def _have_cut(self, moment: int) -> bool:
        return self.proxy.cuts >= moment

    async def _strike(self, strike: Strike) -> None:
        match strike:
            case Strike.API_KILLED:
                await restart(self.system, signal.SIGKILL)
            case Strike.API_STOPPED:
                assert await restart(self.system, signal.SIGTERM) == 0
            case Strike.STORE_KILLED:
                self.store.kill()
                self.store.start()
            case Strike.STORE_RESTARTED:
                self.store.restart()


async def test_no_cut_loses_doubles_or_reorders_an_update(
    tmp_path: Path, own_store: ValkeyProcess, own_doors: PatientDoors, say: Say
) -> None:
    """Over every transport at once, whatever is killed behind it; in the end all hold what polling says."""
    say(f"seed {SEED}")
    async with (
        running_api(tmp_path / "api", own_store) as system,
        open_proxy(dial_http(system.url), fates=fates(SEED)) as proxy,
    ):
        authors = await new_authors(system.url, own_doors, jobs=JOBS, seed=SEED)
        storm = Storm(system, own_store, proxy)
        async with reading(proxy.url, authors, each=2) as crowd, asyncio.TaskGroup() as tasks:
            tasks.create_task(storm.rage())
            tasks.create_task(storm.deafen(own_doors))
            await crowd.write_until(lambda: storm.over, seconds=PATIENCE_SECONDS)
            proxy.calm_down()
            await crowd.end()
        truth = await polled(system.url, authors)

    _report(say, crowd, storm)
    assert crowd.faults(truth) == []
    assert crowd.gaps == []


async def test_no_cut_between_service_and_store_loses_doubles_or_reorders_an_update(
    tmp_path: Path, own_store: ValkeyProcess, own_doors: PatientDoors, say: Say
) -> None:
    """Commands, replies and messages of the subscription are lost at any byte; the readers' connections hold."""
    async with (
        open_proxy(dial_store(own_store.url), scheme="redis") as network,
        running_api(tmp_path / "api", own_store, REDIS_URL=network.url) as system,
    ):
        authors = await new_authors(system.url, own_doors, jobs=JOBS, seed=SEED)
        async with reading(system.url, authors) as crowd:
            await crowd.catch_up()
            network.befall(fates(SEED))
            await crowd.write_until(lambda: network.cuts >= CUTS // 5, seconds=PATIENCE_SECONDS)
            network.calm_down()
            await crowd.end()
        truth = await polled(system.url, authors)

    say(f"{network.cuts} cuts of {network.connections} connections to the store: {crowd.updates} updates heard")
    assert crowd.faults(truth) == []
    assert crowd.gaps == []


def _report(say: Say, crowd: Crowd, storm: Storm) -> None:
    cuts = ", ".join(f"{times} {how.value}" for how, times in storm.proxy.broken.items())
    struck = ", ".join(f"{times} x {strike.value}" for strike, times in storm.struck.items())
    say(f"{storm.proxy.cuts} cuts ({cuts}) of {storm.proxy.connections} connections by {len(crowd.readers)} readers")
    say(f"{struck}, {storm.killed_subscriptions} x the subscription killed")
    say(f"{crowd.updates} updates heard, {len(crowd.gaps)} snapshots instead of updates")
