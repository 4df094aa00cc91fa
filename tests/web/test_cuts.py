"""The JavaScript client under random cuts, killed services and expiring tokens: nothing is lost or doubled."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jobs.connection import connect
from jobs.model import JsonObject
from tests.api import Api
from tests.cuts.author import Author, PatientDoors, new_author
from tests.cuts.crowd import polled
from tests.cuts.fates import fates
from tests.cuts.processes import restart, running_api
from tests.cuts.proxy import Proxy, dial_http, open_proxy
from tests.jobs.patience import until
from tests.system import SECRET, System
from tests.transports.reference import told
from tests.valkey import ValkeyProcess, running_valkey
from tests.web.witnesses import Account, Reader, Witnesses, witnessing

CUTS = int(os.environ.get("JOBSTREAM_CUTS", "500"))
SEED = int(os.environ.get("JOBSTREAM_CUTS_SEED", "1"))
JOBS = 3
KILLS = 3
LEASE_SECONDS = 7200.0
MOST_BEHIND = 50
"""How many updates a watch may lack before the author waits: fewer than a snapshot would be cheaper than."""

PATIENCE_SECONDS = 60.0 + CUTS


@pytest.fixture
def store_of_its_own(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A store whose writes are on disk before they are acknowledged."""
    (tmp_path / "store").mkdir(mode=0o700)
    with running_valkey(tmp_path / "store", "--appendfsync", "always") as server:
        yield server


@pytest.fixture
async def doors_of_its_own(store_of_its_own: ValkeyProcess) -> AsyncIterator[PatientDoors]:
    """The ways into its jobs, for whoever plays the worker."""
    async with connect(store_of_its_own.url) as client:
        yield PatientDoors(client, LEASE_SECONDS)


async def test_no_cut_loses_or_doubles_an_update(
    tmp_path: Path, store_of_its_own: ValkeyProcess, doors_of_its_own: PatientDoors
) -> None:
    """Whatever the road, with a secret or with tokens that live for seconds, while the service is killed."""
    async with (
        running_api(tmp_path / "api", store_of_its_own) as system,
        open_proxy(dial_http(system.url), fates=fates(SEED)) as proxy,
    ):
        authors = await _authors(system.url, doors_of_its_own)
        async with witnessing(proxy.url, _readers([each.job_id for each in authors]), mint=system.url) as witnesses:
            async with asyncio.TaskGroup() as tasks:
                killing = tasks.create_task(_kill(system, proxy))
                await _write(authors, witnesses, proxy, killing)
            proxy.calm_down()
            for author in authors:
                await author.end()
            await witnesses.until_ended()
        truth = {snapshot["id"]: told(snapshot) for snapshot in await polled(system.url, authors)}

    _report(witnesses, proxy)
    assert [fault for (_, job), each in witnesses.accounts.items() for fault in _faults(each, truth[job])] == []
    assert [each for each in witnesses.accounts.values() if {*each.snapshots} - {"initial", "polled"}] == []
    assert all(witnesses.snapshots(at).count("initial") <= len(each.jobs) for at, each in _of_one_road(witnesses))


def _readers(jobs: list[str]) -> list[Reader]:
    return [
        Reader(jobs, ["stream"]),
        Reader(jobs, ["stream"], token="expiring"),
        Reader(jobs, ["socket"]),
        Reader(jobs, ["socket"], token="expiring"),
        Reader(jobs[:1], ["stream"]),
        Reader(jobs[1:2], ["stream"], token="expiring"),
        Reader(jobs[:1], ["socket"]),
        Reader(jobs),
        Reader(jobs[:1], []),
        Reader(jobs, []),
    ]


def _of_one_road(witnesses: Witnesses) -> list[tuple[int, Reader]]:
    """Those who go on from their cursors: another road may not take a cursor of this one."""
    return [(at, each) for at, each in enumerate(witnesses.readers) if len(each.roads) == 1]


async def _authors(url: str, doors: PatientDoors) -> list[Author]:
    async with Api(url, SECRET) as api:
        return [await new_author(api, doors, seed=SEED + at, subject="reader") for at in range(JOBS)]


async def _kill(system: System, proxy: Proxy) -> None:
    """Kill the service and start it again, each time after its share of the cuts."""
    for kill in range(KILLS):
        moment = CUTS * (kill + 1) // (KILLS + 1)

        async def due(moment: int = moment) -> bool:
            return proxy.cuts >= moment

        await until(due, seconds=PATIENCE_SECONDS)
        await restart(system, signal.SIGKILL)


async def _write(authors: list[Author], witnesses: Witnesses, proxy: Proxy, killing: asyncio.Task[None]) -> None:
    while proxy.cuts < CUTS or not killing.done():
        assert witnesses.failed == []
        for author in authors:
            await _keep_up(witnesses, author)
            await author.go_on()


async def _keep_up(witnesses: Witnesses, author: Author) -> None:
    async def near() -> bool:
        return witnesses.behind(author.job_id, author.seq) <= MOST_BEHIND or bool(witnesses.failed)

    await until(near, seconds=PATIENCE_SECONDS)


def _faults(account: Account, truth: JsonObject) -> list[str]:
    faults = [*account.faults, *filter(None, [account.error])]
    if account.end is None or {**told(account.end), "cursor": None} != {**truth, "cursor": None}:
        faults.append("another job than polling")
    if account.verified is not True:
        faults.append("no proof of its text")
    return faults


def _report(witnesses: Witnesses, proxy: Proxy) -> None:
    """Figures, for whoever lets pytest show what is printed."""
    accounts = witnesses.accounts.values()
    heard = sum(account.heard for account in accounts)
    snapshots = Counter(reason for account in accounts for reason in account.snapshots)
    print(f"{proxy.cuts} cuts of {proxy.connections} connections, {KILLS} kills")  # noqa: T201
    print(f"{len(accounts)} watches heard {heard} updates, of which snapshots: {dict(snapshots)}")  # noqa: T201
