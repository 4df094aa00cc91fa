"""Trying one step again within one attempt."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from jobs.errors import DoNotRetry, JobEnded, LeaseLost, ResultTooLarge, RetryAfter, StepRepeated, StepTimedOut

Result = TypeVar("Result")

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0

_FINAL = (DoNotRetry, JobEnded, LeaseLost, ResultTooLarge, RetryAfter, StepRepeated)


async def tried(act: Callable[[], Awaitable[Result]], *, tries: int, timeout_seconds: float | None) -> Result:
    """The act's result; its last fault once the tries are used up, or the first that no further try can mend."""
    for attempt in range(1, tries + 1):
        try:
            return await _within(timeout_seconds, act)
        except _FINAL:
            raise
        except Exception:
            if attempt == tries:
                raise
        pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311  # spreads load, guards nothing
    raise ValueError("a step is tried at least once")


async def _within(seconds: float | None, act: Callable[[], Awaitable[Result]]) -> Result:
    """The act's result; StepTimedOut where it takes longer, None is without limit."""
    try:
        async with asyncio.timeout(seconds) as limit:
            return await act()
    except TimeoutError:
        if limit.expired():
            raise StepTimedOut(f"A step took longer than its {seconds:g} seconds.") from None
        raise
