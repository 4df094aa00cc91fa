"""How long a call may take, whatever the store does and however many call at once."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import keys
from jobs.connection import Client, connect, store_faults
from jobs.errors import StoreUnavailable
from jobs.model import JobId
from tests.valkey import ValkeyProcess, running_valkey

CALLERS = 100
PATIENCE_SECONDS = 15.0
"""Several times what one call may take, and a small part of what so many take one after the other."""


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[ValkeyProcess]:
    """A store that answered once and now stands still."""
    with running_valkey(tmp_path) as server:
        os.kill(server.pid, signal.SIGSTOP)
        yield server
        os.kill(server.pid, signal.SIGCONT)


async def test_a_frozen_store_keeps_nobody_waiting_longer_because_others_wait(frozen: ValkeyProcess) -> None:
    """A hundred callers are all told that it does not answer, not one after the other."""
    async with connect(frozen.url) as client, asyncio.timeout(PATIENCE_SECONDS):
        answers = await asyncio.gather(*(_call(client) for _ in range(CALLERS)), return_exceptions=True)

    assert {type(answer) for answer in answers} == {StoreUnavailable}


async def test_callers_who_find_no_connection_free_wait_for_one(frozen: ValkeyProcess) -> None:
    """A store that stands still for a moment refuses nobody, though there are more callers than connections."""
    async with connect(frozen.url, most=4) as client, asyncio.TaskGroup() as calls:
        answers = [calls.create_task(_call(client)) for _ in range(CALLERS)]
        await asyncio.wait(answers, timeout=0.2)
        os.kill(frozen.pid, signal.SIGCONT)

    assert [answer.result() for answer in answers] == [0] * CALLERS


async def _call(client: Client) -> int:
    with store_faults():
        return int(await client.exists(keys.job(JobId("some-job-or-other"))))
