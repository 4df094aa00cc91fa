"""The store's messages don't arrive: polling answers as ever, and streams go on from the log."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.cuts.author import PatientDoors
from tests.cuts.conftest import SEED
from tests.cuts.crowd import Crowd, new_authors, polled, reading
from tests.cuts.processes import running_api
from tests.cuts.reader import new_client
from tests.figures import Say
from tests.valkey import ValkeyProcess

DEAF_SECONDS = float(os.environ.get("JOBSTREAM_DEAF_SECONDS", "10"))
POLLS_PER_SECOND = 10
POLLS = round(DEAF_SECONDS * POLLS_PER_SECOND)
WRITES_PER_SECOND = 5

NO_PINGS = "3600"
"""Before a ping the log is asked, too; and a client that hears neither gives its connection up."""

Deaf = Callable[[PatientDoors], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def killed_each_second(doors: PatientDoors) -> AsyncIterator[None]:
    """The subscription breaks again and again."""

    async def kill() -> None:
        while True:
            await doors.deafen()
            await asyncio.sleep(1)

    killing = asyncio.create_task(kill())
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.wait({killing})


@asynccontextmanager
async def refused(doors: PatientDoors) -> AsyncIterator[None]:
    """There is no subscription at all."""
    await doors.client.acl_setuser("default", enabled=True, commands=["-subscribe"])
    await doors.deafen()
    try:
        yield
        assert await doors.client.pubsub_channels() == []
    finally:
        await doors.client.acl_setuser("default", enabled=True, commands=["+subscribe"])


@pytest.mark.parametrize("deaf", [killed_each_second, refused])
async def test_polling_answers_and_streams_go_on_without_the_stores_messages(
    deaf: Deaf, tmp_path: Path, own_store: ValkeyProcess, own_doors: PatientDoors, say: Say
) -> None:
    """Every poll is answered, and every update comes to every reader, once, on the connection that it has."""
    async with running_api(tmp_path / "api", own_store, JOBSTREAM_PING_SECONDS=NO_PINGS) as system:
        authors = await new_authors(system.url, own_doors, jobs=2, seed=SEED)
        async with reading(system.url, authors) as crowd:
            await crowd.catch_up()
            connections = crowd.connections
            async with deaf(own_doors):
                async with asyncio.TaskGroup() as tasks:
                    polling = tasks.create_task(_poll(system.url, crowd))
                    await _write(crowd)
                await crowd.catch_up()
            await crowd.end()
        truth = await polled(system.url, authors)

    lags, statuses = crowd.lags(), polling.result()
    say(
        f"{deaf.__name__}, {DEAF_SECONDS:.0f} s: {statuses.count(200)} of {len(statuses)} polls answered; "
        f"{len(lags)} updates heard after p50 {lags[len(lags) // 2]:.2f} s, p99 {lags[len(lags) * 99 // 100]:.2f} s, "
        f"at most {lags[-1]:.2f} s"
    )
    assert statuses == [200] * POLLS
    assert crowd.faults(truth) == []
    assert crowd.gaps == []
    assert crowd.connections == connections


async def _poll(url: str, crowd: Crowd) -> list[int]:
    """What each poll is answered, so many a second, whether or not the one before is."""
    async with new_client(url) as http, asyncio.TaskGroup() as tasks:
        asked = []
        for turn in range(POLLS):
            job_id = crowd.authors[turn % len(crowd.authors)].job_id
            asked.append(tasks.create_task(http.get(f"/v1/jobs/{job_id}")))
            await asyncio.sleep(1 / POLLS_PER_SECOND)
    return [each.result().status_code for each in asked]


async def _write(crowd: Crowd) -> None:
    for _ in range(round(DEAF_SECONDS * WRITES_PER_SECOND)):
        for author in crowd.authors:
            await author.go_on()
        await asyncio.sleep(1 / WRITES_PER_SECOND)
