"""What works beside the jobs: it comes back after a fault, and no wrong clock makes it bury a worker."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import JsonValue
from structlog.testing import capture_logs

from jobs.events import Events, Subscription
from jobs.kind import AnyKind, Kind, Run
from jobs.roll import Roll
from tests.engine.conftest import Engine
from tests.jobs.doors import Nothing
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.workers.workshop import Perform
from workers.companions import beside

HOUR_SECONDS = 3600


def kind(perform: Perform, name: str) -> AnyKind:
    """A kind of the test's own."""
    return Kind(name=name, input=Nothing, perform=perform, summary="A test's.")


async def test_a_companion_that_fails_says_so_and_begins_again() -> None:
    """The log has the fault; the block that it works beside goes on."""
    begins = 0
    again = asyncio.Event()

    async def relay() -> None:
        nonlocal begins
        begins += 1
        if begins == 1:
            raise ZeroDivisionError("Nobody foresaw this.")
        again.set()
        await asyncio.Event().wait()

    with capture_logs() as logs:
        async with asyncio.timeout(PATIENCE_SECONDS), beside(relay=relay):
            await again.wait()

    assert [(line["companion"], line["log_level"], line["exc_info"]) for line in logs] == [("relay", "error", True)]


async def test_an_event_that_broke_the_relay_is_delivered_by_its_next_try(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker lives on, and so does what it sent."""
    heard = asyncio.Event()
    monkeypatch.setattr(Events, "deliver", _broken_once(Events.deliver))

    async def send(run: Run, _input: Nothing) -> JsonValue:
        return await run.send("said", {})

    async def hear(_run: Run, _input: Nothing) -> JsonValue:
        heard.set()
        return None

    engine.know(kind(send, "send"), kind(hear, "hear"))
    engine.subscriptions.append(Subscription("said", engine.kinds["hear"]))
    async with engine.worker():
        await engine.ended(await engine.submit(engine.kinds["send"]))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await heard.wait()


@pytest.mark.parametrize("ahead", [HOUR_SECONDS, -HOUR_SECONDS])
async def test_a_worker_with_a_wrong_clock_counts_as_alive_and_buries_no_other(
    ahead: float, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs of life are told by the store's clock."""
    roll, right = Roll(engine.client), time.time
    await roll.sign("other", {})

    monkeypatch.setattr(time, "time", lambda: right() + ahead)
    async with engine.worker():
        await until(lambda: _living(roll, 2))
        monkeypatch.undo()
        assert await roll.living() == 2  # as somebody counts whose clock is right


async def _living(roll: Roll, count: int) -> bool:
    return await roll.living() == count


def _broken_once(act: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The act, which fails when it is first asked for."""
    faults = iter([ZeroDivisionError("Nobody foresaw this.")])

    async def broken(*arguments: Any, **options: Any) -> Any:
        for fault in faults:
            raise fault
        return await act(*arguments, **options)

    return broken
