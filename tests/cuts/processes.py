"""API processes that a test may stop, kill, freeze and start again where they were."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from tests.jobs.patience import until
from tests.system import System
from tests.valkey import ValkeyProcess

PING_SECONDS = "1"


@asynccontextmanager
async def running_api(folder: Path, store: ValkeyProcess, **settings: str) -> AsyncIterator[System]:
    """The API alone, in a process of its own that pings often; it is gone when the block ends."""
    folder.mkdir()  # noqa: ASYNC240  # of a test's own
    chosen = {"JOBSTREAM_DEMO": "0", "JOBSTREAM_PING_SECONDS": PING_SECONDS, **settings}
    system = System(folder, store, pace=0, settings=chosen)
    try:
        await _start(system)
        yield system
    finally:
        system.api.kill()


async def restart(system: System, how: signal.Signals) -> int:
    """End the API by the signal, and start it again on its port; with which code it ended."""
    code = await asyncio.to_thread(system.api.end, how)
    await _start(system)
    return code


async def _start(system: System) -> None:
    system.api.start()
    await until(lambda: asyncio.to_thread(_lives, system.url))


def _lives(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/healthz", timeout=2, trust_env=False).status_code == 200
    except httpx2.HTTPError:
        return False
