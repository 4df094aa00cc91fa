"""Whoever listens to a watch hears each update, and the service coming and going; each form of the client alike."""

from collections.abc import Iterator
from itertools import chain, repeat

import pytest

from jobstream.client import AsyncClient, Pace, Update
from tests.client.forms import OpenClient
from tests.client.proxy import Fate, Streams, open_proxy
from tests.system import SECRET, System

PACE = Pace(back_off=0.02, back_off_most=0.1)
HELLO = {"message": "Hello"}


class Notes:
    """What a listener was told, in order."""

    def __init__(self) -> None:
        self.updates: list[Update] = []
        self.service: list[str] = []

    def heard(self, update: Update) -> None:
        self.updates.append(update)

    def lost(self, why: Exception) -> None:
        self.service.append(f"lost: {type(why).__name__}")

    def found(self) -> None:
        self.service.append("found")


def cut_at_first() -> Iterator[Fate]:
    """The first stream breaks behind some updates, and the connection after it before any."""
    return chain([Fate(1500, resets=True), Fate(0, resets=True)], repeat(Fate(1 << 30, resets=False)))


async def test_a_listener_hears_what_the_log_holds(client: AsyncClient) -> None:
    """From behind what the watch began with, each update once; the log tells the same when it is read."""
    notes = Notes()
    job = await client.submit("chat", HELLO)

    async for _ in client.watch(job, listener=notes):
        pass

    log = await client.updates(job.id)
    assert notes.updates == [update for update in log.items if int(update.id.split("-")[1]) > job.seq]
    assert (log.closed, log.reset, log.cursor) == (True, False, notes.updates[-1].id)
    assert notes.service == []


@pytest.mark.parametrize("limit", [1, 7])
async def test_a_log_is_read_piece_by_piece(client: AsyncClient, limit: int) -> None:
    job = await client.submit("chat", HELLO, wait=60)
    whole = (await client.updates(job.id)).items

    pieces, cursor = [], None
    while items := (await client.updates(job.id, after=cursor, limit=limit)).items:
        pieces += items
        cursor = items[-1].id

    assert tuple(pieces) == whole


async def test_a_listener_hears_that_the_service_is_away_and_back(open_client: OpenClient, system: System) -> None:
    notes = Notes()
    async with open_client(system.url, SECRET) as client:
        job = await client.submit("chat", HELLO, wait=60)
    async with (
        open_proxy(system.url, fates=cut_at_first()) as proxy,
        open_client(proxy.url, SECRET, pace=PACE) as client,
    ):
        async for _ in client.watch(job.id, listener=notes):
            pass

    assert notes.service[0].startswith("lost: ")
    assert notes.service[-1] == "found"


async def test_what_is_polled_is_heard_as_a_snapshot(open_client: OpenClient, system: System) -> None:
    notes = Notes()
    async with (
        open_proxy(system.url, streams=Streams.REFUSED) as proxy,
        open_client(proxy.url, SECRET, pace=PACE) as client,
    ):
        job = await client.submit("chat", HELLO)
        async for _ in client.watch(job.id, listener=notes):
            pass

    assert {(update.event, update.data["reason"]) for update in notes.updates} == {("snapshot", "poll")}
    assert notes.updates[-1].data["state"] == "completed"
