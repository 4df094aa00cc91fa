"""Calls that travel together: each is an act of its own, with an answer of its own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import RedisError, ResponseError

from jobs.connection import Client, Script
from jobs.errors import StoreUnavailable
from tests.jobs.patience import PATIENCE_SECONDS
from tests.valkey import ValkeyProcess
from workers.batching import BATCH_CALLS, LANES, BatchingClient, batching

CALLS = 4 * BATCH_CALLS


@pytest.fixture
async def batched(redis: Client) -> AsyncIterator[BatchingClient]:
    """A client of the empty shared store whose calls go in batches."""
    async with batching(redis) as client:
        yield client


async def test_calls_of_one_moment_share_their_way_and_each_has_its_own_answer(
    batched: BatchingClient, redis: Client
) -> None:
    """The store is read from a few times, not once for each call."""
    echo = await redis.script_load("return ARGV[1]")
    reads = await _reads(redis)

    answers = await asyncio.gather(*(batched.evalsha(echo, 0, number) for number in range(CALLS)))

    assert answers == [b"%d" % number for number in range(CALLS)]
    assert await _reads(redis) - reads < CALLS / 2


async def test_a_call_that_the_store_refuses_fails_alone(batched: BatchingClient, redis: Client) -> None:
    """Those before and behind it are answered as if it were not there."""
    echo, refuse = (
        await redis.script_load("return ARGV[1]"),
        await redis.script_load("return redis.error_reply('no')"),
    )

    calls = [batched.evalsha(echo, 0, "before"), batched.evalsha(refuse, 0), batched.evalsha(echo, 0, "behind")]
    answers: list[object] = await asyncio.gather(*calls, return_exceptions=True)

    assert (answers[0], answers[2]) == (b"before", b"behind")
    assert isinstance(answers[1], ResponseError)


async def test_a_script_that_the_store_has_forgotten_is_sent_again(batched: BatchingClient, redis: Client) -> None:
    """As it is where calls go one by one: a restarted store knows none."""
    trim = Script(batched, "trim")
    await trim(1)
    await redis.script_flush()

    assert await asyncio.gather(*(trim(1) for _ in range(CALLS))) == [0] * CALLS


async def test_a_store_that_does_not_answer_fails_every_call_and_no_later_one(
    batched: BatchingClient, store: ValkeyProcess
) -> None:
    """Those that wait for their turn fail with those that have left; when it answers again, all is well."""
    trim = Script(batched, "trim")
    await trim(1)
    os.kill(store.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            calls = (trim(1) for _ in range(LANES * BATCH_CALLS + 1))
            faults = await asyncio.gather(*calls, return_exceptions=True)
    finally:
        os.kill(store.pid, signal.SIGCONT)

    assert {type(fault) for fault in faults} == {StoreUnavailable}
    assert await trim(1) == 0


async def test_a_caller_that_leaves_takes_no_answer_from_the_others(batched: BatchingClient, redis: Client) -> None:
    """Its answer is dropped, and nobody is given it in place of their own."""
    echo = await redis.script_load("return ARGV[1]")
    calls = [asyncio.ensure_future(batched.evalsha(echo, 0, number)) for number in range(CALLS)]
    await asyncio.sleep(0)
    for leaving in calls[::2]:
        leaving.cancel()

    assert await asyncio.gather(*calls[1::2]) == [b"%d" % number for number in range(1, CALLS, 2)]


async def test_a_fault_of_the_client_library_reaches_the_caller_as_it_is(batched: BatchingClient) -> None:
    """A call that cannot be put on the wire is its caller's mistake, and leaves the lanes alone."""
    with pytest.raises((RedisError, TypeError)):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await batched.evalsha("0" * 40, 0, object())


async def _reads(redis: Client) -> int:
    return int((await redis.info("stats"))["total_reads_processed"])
