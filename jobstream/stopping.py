"""Work that a signal ends in order."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def until_stopped(work: Coroutine[Any, Any, int]) -> int:
    """The exit code: what the work comes to; after a signal it is left in order, and the code tells which."""
    task = asyncio.ensure_future(work)
    stops: list[int] = []

    def stop(number: int) -> None:
        stops.append(number)
        if len(stops) == 1:  # a second cancel would disturb what the first one has to tidy up
            task.cancel()

    for number in STOPS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not stops:  # the loop itself ends: nobody reads on
            raise
        return 128 + stops[0]
