"""Calls that block, in a thread: who is cancelled leaves when the call has ended, so that nothing is used twice."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(act: Callable[[], Result]) -> Result:
    """What the act returns."""
    acting = asyncio.ensure_future(asyncio.to_thread(act))
    try:
        return await asyncio.shield(acting)
    except asyncio.CancelledError:
        await asyncio.wait({acting})
        raise
