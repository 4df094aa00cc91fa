"""Processes that stand still, and a network that swallows everything: who can goes on, and the rest catches up."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.chaos.arena import frozen
from tests.cuts.author import PatientDoors
from tests.cuts.conftest import SEED
from tests.cuts.crowd import Crowd, holdings, new_authors, polled, reading
from tests.cuts.processes import running_api
from tests.cuts.proxy import dial_store, open_proxy
from tests.cuts.reader import SILENCE_SECONDS, new_client
from tests.figures import Say
from tests.jobs.patience import until
from tests.valkey import ValkeyProcess

FREEZES = int(os.environ.get("JOBSTREAM_FREEZES", "3"))
FROZEN_SECONDS = float(os.environ.get("JOBSTREAM_FROZEN_SECONDS", "0"))
"""How long the store stands still at least: until everybody has noticed."""

STILL_SECONDS = 3.0
"""After which a process that has said nothing stands still."""

CALLS = 30
"""While it does: three times as many are more than the service has connections to the store."""

MOST_CONNECTIONS = 64 + 1 + 2
"""To the store: those of the service's calls, the one by which it listens, and the test's own."""


async def test_a_process_that_stands_still_holds_up_nobody_else(
    tmp_path: Path, own_store: ValkeyProcess, own_doors: PatientDoors
) -> None:
    """Readers at the other one hear all that is written meanwhile; its own stay connected, and hear it afterwards."""
    async with running_api(tmp_path / "one", own_store) as one, running_api(tmp_path / "other", own_store) as other:
        authors = await new_authors(one.url, own_doors, jobs=1, seed=SEED)
        async with reading(one.url, authors) as stuck, reading(other.url, authors) as lively:
            await stuck.catch_up()
            connections = stuck.connections
            with frozen(one.api):
                before = _places(stuck)
                await _write(lively, times=5)
                await lively.catch_up()
                assert await _status(other.url, "/readyz") == 200
                assert await _status(one.url, "/readyz", seconds=STILL_SECONDS) is None
                assert _places(stuck) == before
            await stuck.catch_up()
            await _write(stuck, times=1)
            await stuck.end()
        truth = await polled(one.url, authors)

    assert stuck.connections == connections
    for crowd in (stuck, lively):
        assert crowd.faults(truth) == []
        assert crowd.gaps == []


async def test_a_store_that_stands_still_again_and_again_costs_no_stream_and_no_connection(
    tmp_path: Path, own_store: ValkeyProcess, own_doors: PatientDoors, say: Say
) -> None:
    """Calls end with 503, streams with nothing: they ping, and go on when the store does."""
    slowest = 0.0
    async with running_api(tmp_path / "api", own_store) as system:
        authors = await new_authors(system.url, own_doors, jobs=2, seed=SEED)
        async with reading(system.url, authors) as crowd, new_client(system.url) as http:
            await crowd.catch_up()
            connections = crowd.connections
            for _ in range(FREEZES):
                await crowd.catch_up()
                began = time.monotonic()
                with _frozen(own_store):
                    answers = await _ask(http, authors[0].job_id)
                    slowest = max(slowest, *(answer.elapsed.total_seconds() for answer in answers))
                    assert {answer.status_code for answer in answers} == {503}
                    assert {answer.json()["type"] for answer in answers} == {"/problems/store-unavailable"}
                    await _hear_pings(crowd)
                    await asyncio.sleep(began + FROZEN_SECONDS - time.monotonic())
                await _write(crowd, times=3)
            await crowd.catch_up()
            all_at_once = await _ask(http, authors[0].job_id)
            to_store = len(await own_doors.client.client_list())
            await crowd.end()
        truth = await polled(system.url, authors)

    say(f"the store frozen {FREEZES} times: {FREEZES * CALLS} calls refused, the slowest after {slowest:.2f} s")
    say(f"afterwards {to_store} connections to the store")
    assert {answer.status_code for answer in all_at_once} == {200}
    assert to_store <= MOST_CONNECTIONS
    assert crowd.faults(truth) == []
    assert crowd.gaps == []
    assert crowd.connections == connections


async def test_a_service_cut_off_from_its_store_says_so_and_keeps_its_streams(
    tmp_path: Path, own_store: ValkeyProcess, own_doors: PatientDoors
) -> None:
    """It is alive and not ready, refuses polls, pings its streams, and goes on when the network is back."""
    async with (
        open_proxy(dial_store(own_store.url), scheme="redis") as network,
        running_api(tmp_path / "api", own_store, REDIS_URL=network.url) as system,
    ):
        authors = await new_authors(system.url, own_doors, jobs=2, seed=SEED)
        async with reading(system.url, authors) as crowd:
            await crowd.catch_up()
            connections = crowd.connections
            with network.silent():
                job = f"/v1/jobs/{authors[0].job_id}"
                statuses = [await _status(system.url, path) for path in ("/readyz", "/healthz", job)]
                await _write(crowd, times=5)
                await _hear_pings(crowd)
            await crowd.catch_up()
            assert await _status(system.url, "/readyz") == 200
            await crowd.end()
        truth = await polled(system.url, authors)

    assert statuses == [503, 200, 503]
    assert crowd.faults(truth) == []
    assert crowd.gaps == []
    assert crowd.connections == connections


@contextmanager
def _frozen(store: ValkeyProcess) -> Iterator[None]:
    os.kill(store.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(store.pid, signal.SIGCONT)


def _places(crowd: Crowd) -> list[int]:
    return [holding.seq for holding in holdings(crowd.streams)]


async def _ask(http: httpx2.AsyncClient, job_id: str) -> list[httpx2.Response]:
    return await asyncio.gather(*[http.get(f"/v1/jobs/{job_id}") for _ in range(CALLS)])


async def _status(url: str, path: str, *, seconds: float = SILENCE_SECONDS) -> int | None:
    """What the path answers; None where nothing does in this time."""
    async with new_client(url) as http:
        try:
            return (await http.get(path, timeout=seconds)).status_code
        except httpx2.TimeoutException:
            return None


async def _write(crowd: Crowd, *, times: int) -> None:
    for author in crowd.authors:
        for _ in range(times):
            await author.go_on()


async def _hear_pings(crowd: Crowd) -> None:
    """Return when every stream has pinged twice more: once may have been under way."""
    before = {reader: reader.pings for reader in crowd.streams}

    async def heard() -> bool:
        return all(reader.pings >= before[reader] + 2 for reader in crowd.streams)

    await until(heard)
