"""Turns at what there is only so much of: first come, first served, and no waiting where nothing moves."""

import asyncio
from collections import deque


class Turns:
    """So many at once have a turn; the others wait for as long as turns go on ending well."""

    def __init__(self, most: int, *, seconds: float) -> None:
        self._free = most
        self._seconds = seconds
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._ended_well = 0

    async def take(self) -> None:
        """Wait for a turn; TimeoutError where for so many seconds none has ended well."""
        if self._free and not self._waiting:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await self._wait(turn)
        except BaseException:
            if not turn.cancel():  # it came all the same
                self._pass_on()
            raise

    def end(self, *, well: bool) -> None:
        """Give the turn to whoever has waited longest."""
        self._ended_well += well
        self._pass_on()

    async def _wait(self, turn: asyncio.Future[None]) -> None:
        while not turn.done():
            ended_well = self._ended_well
            await asyncio.wait({turn}, timeout=self._seconds)
            if not turn.done() and self._ended_well == ended_well:
                raise TimeoutError

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
