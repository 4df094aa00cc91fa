"""API processes that are told to stop while hundreds of streams are open, and while everybody works."""

import asyncio
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx2
from websockets.exceptions import ConnectionClosed

from tests.chaos.arena import ended_by
from tests.cuts.author import Author, PatientDoors
from tests.cuts.conftest import SEED
from tests.cuts.crowd import holdings, new_authors, polled, reading
from tests.cuts.processes import restart, running_api
from tests.cuts.proxy import dial_http, open_proxy
from tests.cuts.reader import BREAKS, PAUSE_SECONDS, Reader, new_client
from tests.cuts.readers.server_sent import Multiplex, Sse
from tests.cuts.readers.sockets import Socket, Sockets
from tests.figures import Say
from tests.jobs.patience import until
from tests.system import System
from tests.valkey import ValkeyProcess

JOBS = 5
STREAMS: dict[type[Reader], int] = {Sse: 40, Multiplex: 20, Socket: 20, Sockets: 20}
"""How many there are for each job over each transport."""

SERVER_SENT = (Sse, Multiplex)
RESTARTING = 1012
ROUNDS = 2
LONGEST_SECONDS = 300.0
"""Four restarts on a slow machine."""

MOST_SUBMITTED = 90
MOST_TRIES = 100


def listeners(url: str, authors: list[Author]) -> list[Reader]:
    """Five hundred of them."""
    ids = [author.job_id for author in authors]
    return [
        kind(url, [job_id] if kind in (Sse, Socket) else ids)
        for job_id in ids
        for kind, times in STREAMS.items()
        for _ in range(times)
    ]


async def read_until_farewell(reader: Reader, http: httpx2.AsyncClient) -> str:
    """How the connection ended on which the reader heard farewell; those that are refused, it tries again."""
    for _ in range(MOST_TRIES):
        ended = await _read_once(reader, http)
        if reader.byes:
            return ended
        await asyncio.sleep(PAUSE_SECONDS)
    return "without a farewell"


async def _read_once(reader: Reader, http: httpx2.AsyncClient) -> str:
    reader.connections += 1
    try:
        await reader.read_on(http)
    except ConnectionClosed as closed:
        return f"closed with {closed.rcvd.code if closed.rcvd else None}"
    except BREAKS as error:
        return type(error).__name__
    return "ended"


async def test_five_hundred_streams_hear_farewell_and_end_cleanly(
    tmp_path: Path, own_store: ValkeyProcess, own_doors: PatientDoors, say: Say
) -> None:
    """Each is told to come back, those that can be told when at moments spread over nine seconds; the process ends
    by itself."""
    async with running_api(tmp_path / "api", own_store) as system:
        authors = await new_authors(system.url, own_doors, jobs=JOBS, seed=SEED)
        readers = listeners(system.url, authors)
        async with new_client(system.url) as http, asyncio.TaskGroup() as tasks:
            reading = [tasks.create_task(read_until_farewell(reader, http)) for reader in readers]
            await until(lambda: _all_told(readers))
            began = time.monotonic()
            code = await ended_by(system.api, signal.SIGTERM)
            took = time.monotonic() - began
    ends = Counter((type(reader), task.result()) for reader, task in zip(readers, reading, strict=True))
    returns = [after for reader in readers for after in reader.returns]

    seconds = Counter(after // 1000 for after in returns)
    say(f"{len(readers)} streams opened at once by {sum(reader.connections for reader in readers)} connections")
    say(f"{len(readers)} open streams, SIGTERM: the process ended after {took:.2f} s")
    say(f"to come back in each second after it: {[seconds[second] for second in range(1, 10)]}")
    assert code == 0
    assert {tuple(reader.byes) for reader in readers} == {("shutdown",)}
    assert {end for kind, end in ends if kind in SERVER_SENT} == {"ended"}
    assert {end for kind, end in ends if kind not in SERVER_SENT} == {f"closed with {RESTARTING}"}
    assert len(returns) == sum(isinstance(reader, SERVER_SENT) for reader in readers)
    assert all(1_000 <= after <= 10_000 for after in returns)
    assert all(seconds[second] for second in range(1, 10))


async def test_a_rolling_restart_loses_and_doubles_nothing(
    tmp_path: Path, own_store: ValkeyProcess, own_doors: PatientDoors, say: Say
) -> None:
    """Two processes behind one address, told to stop in turn: readers go on at the other, and so do submissions."""
    async with (
        running_api(tmp_path / "one", own_store) as one,
        running_api(tmp_path / "other", own_store) as other,
        open_proxy(dial_http(one.url), dial_http(other.url)) as proxy,
        new_client(proxy.url) as http,
    ):
        authors = await new_authors(one.url, own_doors, jobs=2, seed=SEED)
        async with reading(proxy.url, authors, each=2) as crowd, asyncio.TaskGroup() as tasks:
            rolling = tasks.create_task(_roll(one, other))
            submitting = tasks.create_task(_submit_until(rolling, http))
            await crowd.write_until(rolling.done, seconds=LONGEST_SECONDS)
            await crowd.end()
        truth = await polled(proxy.url, authors)
        listed = await http.get("/v1/jobs", params={"limit": 100})

    jobs = submitting.result()
    say(
        f"{2 * ROUNDS} restarts of two processes in turn: {len(crowd.readers)} readers, "
        f"{crowd.updates} updates, {len(jobs)} jobs submitted meanwhile"
    )
    assert rolling.result() == [0] * (2 * ROUNDS)
    assert crowd.faults(truth) == []
    assert crowd.gaps == []
    known = {item["id"] for item in listed.json()["items"]}
    assert len(jobs) == len(set(jobs))
    assert known == {*jobs, *(author.job_id for author in authors)}


async def _all_told(readers: list[Reader]) -> bool:
    return all(holding.held for holding in holdings(readers))


async def _roll(one: System, other: System) -> list[int]:
    """How the processes ended, each started again before the next is stopped."""
    return [await restart(system, signal.SIGTERM) for _ in range(ROUNDS) for system in (one, other)]


async def _submit_until(done: "asyncio.Task[list[int]]", http: httpx2.AsyncClient) -> list[str]:
    """Jobs submitted one after the other, each again until it is answered."""
    jobs: list[str] = []
    while not done.done() and len(jobs) < MOST_SUBMITTED:
        jobs.append(await _submitted(http, key=f"job-{len(jobs)}"))
        await asyncio.sleep(PAUSE_SECONDS)
    return jobs


async def _submitted(http: httpx2.AsyncClient, *, key: str) -> str:
    body = {"kind": "chat", "input": {"message": key}, "idempotency_key": key}
    for _ in range(MOST_TRIES):
        with suppress(*BREAKS):
            response = await http.post("/v1/jobs", json=body)
            assert response.status_code in (200, 202), response.text
            return str(response.json()["id"])
        await asyncio.sleep(PAUSE_SECONDS)
    raise AssertionError(f"{key} was never answered")
