"""The JavaScript client where a proxy stands in the way: it finds another road, and the better one again later."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jobs.connection import Client
from jobs.model import JsonObject
from tests.api import Api
from tests.cuts.author import Author, PatientDoors, new_author
from tests.cuts.processes import restart, running_api
from tests.cuts.proxy import dial_http, open_proxy
from tests.jobs.patience import until
from tests.system import SECRET, System
from tests.transports.reference import told
from tests.valkey import ValkeyProcess
from tests.web.gate import Gate, Road, Rule, open_gate
from tests.web.witnesses import HASTE, Account, Reader, Witnesses, witnessing

LEASE_SECONDS = 7200.0
MANY = 3
MOST_BEHIND = 20
SUCCESSIONS = 200
"""How many streams are opened, one after the other, by tabs that come and go."""


@pytest.fixture
async def system(tmp_path: Path, store: ValkeyProcess, redis: Client) -> AsyncIterator[System]:
    """The API alone, on an empty store; it pings every second."""
    async with running_api(tmp_path / "api", store) as running:
        yield running


@pytest.fixture
async def gate(system: System) -> AsyncIterator[Gate]:
    """A proxy before it."""
    async with open_gate(system.url) as gate:
        yield gate


@pytest.fixture
async def authors(system: System, redis: Client) -> list[Author]:
    """Jobs that are being written."""
    doors = PatientDoors(redis, LEASE_SECONDS)
    async with Api(system.url, SECRET) as api:
        return [await new_author(api, doors, seed=at) for at in range(MANY)]


async def test_a_proxy_that_refuses_streams_is_passed_by_socket(
    system: System, gate: Gate, authors: list[Author]
) -> None:
    """Nothing but the road is different."""
    gate.rules = {Road.STREAM: Rule.REFUSE}
    async with witnessing(gate.url, _readers(authors)) as witnesses:
        await _until_caught_up(witnesses, authors)
        await _until_open(gate, Road.SOCKET)
        await _finish(witnesses, authors)
    await _check(system, witnesses)


async def test_a_proxy_that_buffers_streams_is_passed_by_socket(
    system: System, gate: Gate, authors: list[Author]
) -> None:
    """A stream of which nothing comes is no road, though its proxy never says so."""
    gate.rules = {Road.STREAM: Rule.BUFFER}
    async with witnessing(gate.url, _readers(authors)) as witnesses:
        await _until_caught_up(witnesses, authors)
        await _until_open(gate, Road.SOCKET)
        await _finish(witnesses, authors)
    await _check(system, witnesses)


@pytest.mark.parametrize("rule", [Rule.REFUSE, Rule.BUFFER])
async def test_where_nothing_else_passes_the_jobs_are_polled(
    system: System, gate: Gate, authors: list[Author], rule: Rule
) -> None:
    """One job by held requests, several in rounds; both have the jobs' ends."""
    gate.rules = {Road.STREAM: rule, Road.SOCKET: Rule.REFUSE}
    async with witnessing(gate.url, _readers(authors)) as witnesses:
        await _until_polling(witnesses)
        await _finish(witnesses, authors)
        accounts = [*witnesses.accounts.values()]
    assert all("polling" in account.connections for account in accounts)
    await _check(system, witnesses)


async def test_a_better_road_that_is_free_again_is_taken_again(
    system: System, gate: Gate, authors: list[Author]
) -> None:
    """From polling up to the stream, without a word from anybody, and without a loss on the way."""
    gate.rules = {Road.STREAM: Rule.REFUSE, Road.SOCKET: Rule.REFUSE}
    async with witnessing(gate.url, _readers(authors)) as witnesses:
        await _until_polling(witnesses)
        gate.rules = {}
        for account in witnesses.accounts.values():
            await until(lambda account=account: _is(account, "live"))  # type: ignore[misc]
        await _until_open(gate, Road.STREAM)
        await _finish(witnesses, authors)
    await _check(system, witnesses)


async def test_a_network_that_is_gone_for_longer_than_the_client_waits_costs_nothing(
    system: System, authors: list[Author]
) -> None:
    """Connections on which nothing comes are given up by themselves, and all is there when it is back."""
    async with open_proxy(dial_http(system.url)) as proxy:
        async with witnessing(proxy.url, [*_readers(authors), Reader(_ids(authors), ["socket"])]) as witnesses:
            await _until_caught_up(witnesses, authors)
            with proxy.silent():
                for author in authors:
                    await author.go_on()
                for account in witnesses.accounts.values():
                    await until(lambda account=account: _is(account, "reconnecting"))  # type: ignore[misc]
            await _finish(witnesses, authors)
        await _check(system, witnesses)


@pytest.mark.parametrize("road", ["stream", "socket"])
async def test_a_service_that_is_stopped_and_started_again_has_its_watchers_back(
    system: System, authors: list[Author], road: str
) -> None:
    """It says farewell, and they come back each in its own time."""
    async with witnessing(system.url, [Reader(_ids(authors), [road])]) as witnesses:
        await _until_caught_up(witnesses, authors)
        assert await restart(system, signal.SIGTERM) == 0
        for author in authors:
            await author.go_on()
        await _until_caught_up(witnesses, authors)
        await _finish(witnesses, authors)
    await _check(system, witnesses)


async def test_more_jobs_than_one_stream_takes_are_watched(system: System, redis: Client) -> None:
    """By a second stream, or by a socket that may not say everything at once."""
    doors = PatientDoors(redis, LEASE_SECONDS)
    async with Api(system.url, SECRET) as api:
        authors = [await new_author(api, doors, seed=at) for at in range(40)]
    ids = _ids(authors)
    async with witnessing(system.url, [Reader(ids), Reader(ids, ["socket"])], pace=HASTE) as witnesses:
        await _until_caught_up(witnesses, authors)
        await _finish(witnesses, authors)
    await _check(system, witnesses)


async def test_tabs_that_come_and_go_lose_nothing(system: System, gate: Gate, authors: list[Author]) -> None:
    """Whoever leads leaves after some updates, and another one goes on; there is one stream at a time."""
    tabs = [Reader(_ids(authors), ["stream"], stays=False) for _ in range(4)]
    most = 0
    async with witnessing(gate.url, tabs) as witnesses:
        await _until_caught_up(witnesses, authors)
        while gate.taken[Road.STREAM] < SUCCESSIONS:
            for author in authors:
                await author.go_on()
            await _until_near(witnesses, authors)
            most = max(most, gate.open[Road.STREAM])
        await _finish(witnesses, authors)
    heard = sum(account.heard for account in witnesses.accounts.values())
    print(f"{heard} updates by {gate.taken[Road.STREAM]} streams, one after the other")  # noqa: T201
    assert most <= 2  # the one, and one that is being left for it
    await _check(system, witnesses)


def _readers(authors: list[Author]) -> list[Reader]:
    return [Reader(_ids(authors)[:1]), Reader(_ids(authors))]


def _ids(authors: list[Author]) -> list[str]:
    return [author.job_id for author in authors]


async def _until_caught_up(witnesses: Witnesses, authors: list[Author]) -> None:
    await _until_near(witnesses, authors, behind=0)


async def _until_near(witnesses: Witnesses, authors: list[Author], *, behind: int = MOST_BEHIND) -> None:
    async def near() -> bool:
        assert witnesses.failed == []
        return all(witnesses.behind(author.job_id, author.seq) <= behind for author in authors)

    await until(near)


async def _until_open(gate: Gate, road: Road) -> None:
    async def taken() -> bool:
        return gate.open[road] > 0

    await until(taken)


async def _until_polling(witnesses: Witnesses) -> None:
    for account in witnesses.accounts.values():
        await until(lambda account=account: _is(account, "polling"))  # type: ignore[misc]


async def _is(account: Account, connection: str) -> bool:
    return account.connections[-1:] == [connection]


async def _finish(witnesses: Witnesses, authors: list[Author]) -> None:
    for author in authors:
        await author.go_on()
        await author.end()
    await witnesses.until_ended()


async def _check(system: System, witnesses: Witnesses) -> None:
    """Every watch was given each update once, and holds what polling says."""
    async with Api(system.url, SECRET) as api:
        for (_, job), account in witnesses.accounts.items():
            assert account.error is None
            assert account.faults == []
            assert account.verified
            assert account.end
            assert _known(account.end) == _known(await api.poll(job))


def _known(snapshot: JsonObject) -> JsonObject:
    return {**told(snapshot), "cursor": None}
