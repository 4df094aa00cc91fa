"""Calls that share a connection: each is an act of its own, with an answer of its own."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Awaitable
from functools import partial
from pathlib import Path
from typing import cast

import pytest
import uvloop
from redis.asyncio import UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from jobs.connection import Client, Script, _Pool, connect
from jobs.errors import StoreUnavailable
from jobs.line import Line
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.valkey import ValkeyProcess

CALLS = 128


async def test_calls_of_one_moment_share_their_way_and_each_has_its_own_answer(
    redis: Client,
) -> None:
    """The store is read from a few times, not once for each call."""
    echo = await redis.script_load("return ARGV[1]")
    reads = await _reads(redis)

    answers = await asyncio.gather(*(redis.evalsha(echo, 0, number) for number in range(CALLS)))

    assert answers == [b"%d" % number for number in range(CALLS)]
    assert await _reads(redis) - reads < CALLS / 2


async def test_a_call_that_the_store_refuses_fails_alone(redis: Client) -> None:
    """Those before and behind it are answered as if it were not there."""
    echo, refuse = (
        await redis.script_load("return ARGV[1]"),
        await redis.script_load("return redis.error_reply('no')"),
    )

    calls = [redis.evalsha(echo, 0, "before"), redis.evalsha(refuse, 0), redis.evalsha(echo, 0, "behind")]
    answers: list[object] = await asyncio.gather(*calls, return_exceptions=True)

    assert (answers[0], answers[2]) == (b"before", b"behind")
    assert isinstance(answers[1], ResponseError)


async def test_a_script_that_the_store_has_forgotten_is_sent_again(redis: Client) -> None:
    """As it is where calls go one by one: a restarted store knows none."""
    trim = Script(redis, "trim")
    await trim(1)
    await redis.script_flush()

    assert await asyncio.gather(*(trim(1) for _ in range(CALLS))) == [0] * CALLS


async def test_a_store_that_does_not_answer_fails_every_call_and_no_later_one(
    redis: Client, store: ValkeyProcess
) -> None:
    """All that it owes fail at once; when it answers again, all is well."""
    trim = Script(redis, "trim")
    await trim(1)
    os.kill(store.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            calls = (trim(1) for _ in range(CALLS))
            faults = await asyncio.gather(*calls, return_exceptions=True)
    finally:
        os.kill(store.pid, signal.SIGCONT)

    assert {type(fault) for fault in faults} == {StoreUnavailable}
    assert await trim(1) == 0


async def test_a_caller_that_leaves_takes_no_answer_from_the_others(redis: Client) -> None:
    """Its answer is dropped, and nobody is given it in place of their own."""
    echo = await redis.script_load("return ARGV[1]")
    calls = [asyncio.ensure_future(redis.evalsha(echo, 0, number)) for number in range(CALLS)]
    await asyncio.sleep(0)
    for leaving in calls[::2]:
        leaving.cancel()

    assert await asyncio.gather(*calls[1::2]) == [b"%d" % number for number in range(1, CALLS, 2)]


async def test_a_fault_of_the_client_library_reaches_the_caller_as_it_is(redis: Client) -> None:
    """A call that cannot be put on the wire is its caller's mistake, and leaves the others alone."""
    with pytest.raises((RedisError, TypeError)):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await redis.evalsha("0" * 40, 0, object())


async def test_a_connection_that_is_cut_fails_what_it_owes_and_the_next_call_opens_another(redis: Client) -> None:
    """Nobody knows what was done of the calls that had left; later ones find a store."""
    await redis.ping()
    line = await _line(redis)

    owed = [line.call("PING") for _ in range(3)]
    line._transport.abort()
    faults = await asyncio.gather(*owed, return_exceptions=True)

    assert {type(fault) for fault in faults} == {RedisConnectionError}
    assert await redis.ping()
    assert await _line(redis) is not line


async def test_a_connection_that_the_store_closed_while_nobody_called_costs_no_call(redis: Client) -> None:
    """As a store that restarts, or that drops who is idle, does it."""
    await redis.ping()
    line = await _line(redis)
    async with redis.pipeline(transaction=False) as other:
        await other.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").execute()
    await until(partial(_is_lost, line))

    assert await redis.ping()


def test_our_own_lateness_is_not_taken_for_the_store_s(store: ValkeyProcess) -> None:
    """Reading another socket holds up the event loop for longer than the store may be silent; the answer has come
    long ago, and is heard before the time is over."""

    async def be_late() -> None:
        near, far = socket.socketpair()
        async with connect(store.url, call_seconds=1) as client:
            line = await _line(client)
            loop = asyncio.get_running_loop()
            loop.add_reader(near, lambda: (near.recv(1), time.sleep(1.5)))
            far.send(b"!")
            assert await line.call("PING") == b"PONG"
            assert not line.lost
            loop.remove_reader(near)
        near.close()
        far.close()

    uvloop.run(be_late())


async def test_a_store_that_was_long_asked_nothing_is_given_its_time(redis: Client) -> None:
    """A silence begins with the first answer that is owed, whenever the store was heard last."""
    await redis.ping()
    line = await _line(redis)
    line._heard_at -= 1000

    answer = line.call("PING")
    line._look()

    assert await answer == b"PONG"


async def test_a_lost_line_takes_no_call(redis: Client) -> None:
    """Its caller would wait for ever."""
    line = await _line(redis)
    line.close()

    with pytest.raises(RedisConnectionError):
        line.call("PING")


async def test_a_connection_that_is_gone_before_its_first_call_is_no_line(tmp_path: Path) -> None:
    """As where whatever is before the store lets us in and hangs up; nobody has to wait to find that out."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    path = str(tmp_path / "hangs-up")
    connection = UnixDomainSocketConnection(path=path, lib_name=None, lib_version=None)  # so that nothing is asked
    async with await asyncio.start_unix_server(hang_up, path):
        await connection.connect()  # type: ignore[no-untyped-call]
        await until(partial(_has_hung_up, connection))
        with pytest.raises(RedisConnectionError):
            Line(connection, silent_seconds=PATIENCE_SECONDS)
        await connection.disconnect(nowait=True)


async def test_what_blocks_holds_up_nobody(redis: Client) -> None:
    """Who waits for the bell has a connection of its own."""
    waiting = asyncio.ensure_future(
        cast("Awaitable[object]", redis.blpop(["nobody:rings"], timeout=PATIENCE_SECONDS))
    )
    blocked = partial(redis.info, "clients")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (await blocked())["blocked_clients"]:
            pass
        await cast("Awaitable[int]", redis.rpush("nobody:rings", "now"))

    assert await waiting == (b"nobody:rings", b"now")


async def test_an_answer_of_many_reads_is_whole(redis: Client) -> None:
    """So large that its socket brings it in pieces, with calls before and behind it."""
    text = b"x" * (8 * 1024 * 1024)
    await redis.set("large", text)

    before, large, behind = await asyncio.gather(redis.ping(), redis.get("large"), redis.ping())

    assert (before, large == text, behind) == (True, True, True)


async def test_a_crowd_that_finds_no_store_is_told_so_by_one_look(tmp_path: Path) -> None:
    """Whoever comes while the connection is being opened shares what comes of it."""
    looks = 0

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal looks
        looks += 1
        writer.close()

    path = str(tmp_path / "no-store")
    async with await asyncio.start_unix_server(hang_up, path), connect(f"unix://{path}") as client:
        faults = await asyncio.gather(*(client.ping() for _ in range(CALLS)), return_exceptions=True)

    assert {type(fault) for fault in faults} == {RedisConnectionError}
    assert looks == 1


async def _is_lost(line: Line) -> bool:
    return line.lost


async def _has_hung_up(connection: UnixDomainSocketConnection) -> bool:
    return connection._reader is not None and connection._reader.at_eof()


async def _line(client: Client) -> Line:
    return await cast(_Pool, client.connection_pool).line()


async def _reads(redis: Client) -> int:
    return int((await redis.info("stats"))["total_reads_processed"])
