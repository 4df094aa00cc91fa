"""What one append leaves in the store: numbers, snapshot, announcements, and whose flushes are refused."""

from collections.abc import AsyncIterator, Awaitable
from typing import cast

import pytest
from redis.asyncio.client import PubSub

from jobs import keys
from jobs.connection import Client
from jobs.errors import JobEnded, LeaseLost
from jobs.leases import Claim
from jobs.log import announced
from tests.jobs import lines
from tests.jobs.doors import Doors, replayed
from tests.jobs.patience import PATIENCE_SECONDS


async def test_every_update_is_numbered_and_folded(doors: Doors) -> None:
    """After each flush the numbers have no gap, and the snapshot is the sum of the log."""
    job_id = await doors.submit()
    submitted = await doors.snapshot(job_id)
    (claim,) = await doors.claim("first")

    for flush in lines.whole_story():
        await doors.append(claim, *flush)

        entries = await doors.entries(job_id)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert await doors.snapshot(job_id) == replayed(submitted, entries)

    assert entries[-1].last
    assert sum(entry.last for entry in entries) == 1


async def test_a_cursor_is_the_stores_clock_and_the_number(doors: Doors, redis: Client) -> None:
    """Each entry's microseconds lie between the store's time before and after it was appended."""
    claim = await doors.running()
    before = await _store_us(redis)

    await doors.append(claim, lines.progress(1), lines.progress(2))

    after = await _store_us(redis)
    one, two = (await doors.entries(claim.job_id))[-2:]
    assert before <= one.cursor.us <= two.cursor.us <= after
    assert str((await doors.snapshot(claim.job_id))["cursor"]) == str(two.cursor)


async def test_a_clock_that_went_back_takes_no_cursor_with_it(doors: Doors, redis: Client) -> None:
    """A cursor's time is never less than the one before."""
    claim = await doors.running()
    ahead = await _store_us(redis) + 3600 * 1_000_000
    await doors.set_moment(claim.job_id, "us", ahead)

    await doors.append(claim, lines.progress(1))

    assert (await doors.entries(claim.job_id))[-1].cursor.us == ahead


async def test_what_is_announced_is_what_the_log_holds(doors: Doors, redis: Client) -> None:
    """Every entry goes out once, in order, each naming the one before it; from the first to the end."""
    async with redis.pubsub() as subscription:
        await subscription.psubscribe(f"{keys.PREFIX}*:channel")
        assert await subscription.get_message(timeout=PATIENCE_SECONDS), "no confirmation"
        claim = await doors.running()
        for flush in lines.whole_story():
            await doors.append(claim, *flush)
        heard = [announced(message) async for message in _messages(subscription)]

    befores, entries = [before for before, _ in heard], [entry for _, entry in heard]
    assert entries == await doors.entries(claim.job_id)
    assert befores == [b"0-0", *(entry.place for entry in entries[:-1])]


async def test_a_flush_sent_again_changes_nothing(doors: Doors) -> None:
    """Each flush of a story is sent twice, also the one that ends the job."""
    claim = await doors.running()

    for number, flush in enumerate(lines.whole_story(), start=1):
        await doors.log.append(claim.job_id, flush, token=claim.token, flush=number)
        once = await doors.entries(claim.job_id), await doors.snapshot(claim.job_id)
        await doors.log.append(claim.job_id, flush, token=claim.token, flush=number)
        assert (await doors.entries(claim.job_id), await doors.snapshot(claim.job_id)) == once


async def test_who_does_not_hold_the_lease_writes_nothing(doors: Doors) -> None:
    """A wrong token, a lease that ran out, and a job that is gone: all the same to the worker."""
    claim = await doors.running()
    before = await doors.entries(claim.job_id)

    with pytest.raises(LeaseLost):
        await doors.log.append(claim.job_id, [lines.progress(1)], token="second", flush=1)
    await doors.lose(claim)
    with pytest.raises(LeaseLost):
        await doors.log.append(claim.job_id, [lines.end()], token=claim.token, flush=1)

    assert await doors.entries(claim.job_id) == before
    await doors.client.flushall()
    with pytest.raises(LeaseLost):
        await doors.log.append(claim.job_id, [lines.progress(1)], token=claim.token, flush=1)
    assert await doors.lifetimes() == {}


async def test_a_store_that_lost_updates_takes_no_more_of_that_attempt(doors: Doors, redis: Client) -> None:
    """After a power cut the log is shorter than its writer believes: what came next would not fit what is there."""
    claim = await doors.running()
    await doors.append(claim, lines.begun("openai"), lines.wrote("openai", "one ", at=0))
    saved = {name: await redis.dump(name) for name in await doors.lifetimes()}
    before = await doors.entries(claim.job_id), await doors.snapshot(claim.job_id)
    await doors.append(claim, lines.wrote("openai", "two ", at=4))
    for name, value in saved.items():
        await redis.restore(name, 60_000, value, replace=True)

    with pytest.raises(LeaseLost):
        await doors.append(claim, lines.wrote("openai", "three", at=8))

    assert (await doors.entries(claim.job_id), await doors.snapshot(claim.job_id)) == before


async def test_nothing_follows_the_end(doors: Doors) -> None:
    """A new flush of the worker that ended the job is refused, and so is a second end."""
    claim = await doors.running()
    await doors.append(claim, lines.end())
    ended = await doors.entries(claim.job_id)

    for late in (lines.progress(99), lines.end("failed")):
        with pytest.raises(JobEnded):
            await doors.append(claim, late)

    assert await doors.entries(claim.job_id) == ended


async def test_a_completed_part_is_kept_as_one_piece(doors: Doors, redis: Client) -> None:
    """Until then its text is a list of pieces, afterwards the whole, and the snapshot reads the same."""
    claim = await doors.running()
    await doors.append(claim, lines.begun("openai"))
    await doors.append(claim, lines.wrote("openai", "one ", at=0))
    await doors.append(claim, lines.wrote("openai", "two", at=4))
    assert await _pieces(redis, claim, "openai") == [b"one ", b"two"]

    await doors.append(claim, lines.completed("openai", "one two"))

    assert await _pieces(redis, claim, "openai") == [b"one two"]
    assert (await doors.snapshot(claim.job_id))["parts"]["openai"]["text"] == "one two"


async def test_the_end_names_every_part_and_leaves_none_unfinished(doors: Doors) -> None:
    """A part that ended by itself brings its proof; one that ran is ended with the job, without."""
    claim = await doors.running()
    await doors.append(claim, lines.begun("openai"), lines.begun("google"), lines.completed("openai", "𝄞"))

    await doors.append(claim, lines.end("failed"))

    event, end = (await doors.updates(claim.job_id))[-1]
    assert event == "end"
    assert end["parts"]["google"] == {"state": "failed", "length": None, "sha256": None}
    assert (end["parts"]["openai"]["state"], end["parts"]["openai"]["length"]) == ("completed", 2)


async def _pieces(redis: Client, claim: Claim, part: str) -> list[bytes]:
    name = f"{keys.PREFIX}{claim.job_id}:text:{part}"
    return await cast("Awaitable[list[bytes]]", redis.lrange(name, 0, -1))


async def _store_us(redis: Client) -> int:
    seconds, microseconds = await redis.time()
    return int(seconds) * 1_000_000 + int(microseconds)


async def _messages(subscription: PubSub) -> AsyncIterator[bytes]:
    """What is announced, up to the end of a run."""
    last = False
    while not last:
        message = await subscription.get_message(timeout=PATIENCE_SECONDS)
        assert message, "an announcement is missing"
        last = announced(message["data"])[1].last
        yield message["data"]
