"""Whatever the connection does to an append, the log and the snapshot agree, and nothing is lost or doubled."""

import orjson
import pytest

from jobs.errors import StoreUnavailable
from jobs.leases import Claim
from jobs.model import JsonObject
from jobs.updates import Entry
from tests.jobs import lines
from tests.jobs.doors import Doors, replayed
from tests.jobs.proxy import Fault, faulty_store
from tests.valkey import ValkeyProcess
from workers.writer import Writer

SOON = 0.25
"""A slow machine is only one more fault for who tries again."""


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
async def test_a_worker_that_dies_at_any_command_leaves_a_job_that_makes_sense(
    fault: Fault, doors: Doors, store: ValkeyProcess
) -> None:
    """At each point of a story its writer falls silent for ever: what is there is a beginning of the story."""
    async with faulty_store(store.url) as (proxy, client):
        whole = await _told_whole(doors)
        command = 0
        while command == 0 or proxy.was_hit:
            command += 1
            first, claim = await _started(doors)
            proxy.hit(command, fault)

            await _tell_until_the_fault(Doors(client), claim)

            entries = await doors.entries(claim.job_id)
            assert _gist(entries) == whole[: len(entries)]
            assert await doors.snapshot(claim.job_id) == replayed(first, entries)
            await doors.client.script_flush()
    assert command > len(lines.whole_story())


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER, Fault.SILENCE])
async def test_a_writer_that_tries_again_writes_every_update_once(
    fault: Fault, doors: Doors, store: ValkeyProcess
) -> None:
    """At each point of a story one command is hit, and the story is told to its end all the same."""
    async with faulty_store(store.url, call_seconds=SOON) as (proxy, client):
        whole = await _told_whole(doors)
        command = 0
        while command == 0 or proxy.was_hit:
            command += 1
            first, claim = await _started(doors)
            writer = Writer(Doors(client).log, claim)
            proxy.hit(command, fault)

            for flush in lines.whole_story():
                await writer.write(*flush)

            entries = await doors.entries(claim.job_id)
            assert _gist(entries) == whole
            assert await doors.snapshot(claim.job_id) == replayed(first, entries)
            await doors.client.script_flush()
    assert command > len(lines.whole_story())


async def _started(doors: Doors) -> tuple[JsonObject, Claim]:
    job_id = await doors.submit()
    first = await doors.snapshot(job_id)
    (claim,) = await doors.claim(f"worker of {job_id}")
    return first, claim


async def _told_whole(doors: Doors) -> list[tuple[str, JsonObject]]:
    _, claim = await _started(doors)
    for flush in lines.whole_story():
        await doors.append(claim, *flush)
    return _gist(await doors.entries(claim.job_id))


async def _tell_until_the_fault(doors: Doors, claim: Claim) -> None:
    try:
        for flush in lines.whole_story():
            await doors.append(claim, *flush)
    except StoreUnavailable:
        return


def _gist(entries: list[Entry]) -> list[tuple[str, JsonObject]]:
    """What was said, without the moments at which it was; the numbers have no gap."""
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    said = [(entry.event, orjson.loads(entry.body)) for entry in entries]
    return [(event, {name: each for name, each in data.items() if not name.endswith("_at")}) for event, data in said]
