"""Pauses: kinds of which no job starts for a while; what runs goes on, and what waits keeps its place."""

from collections.abc import Awaitable
from typing import cast

from jobs import clock, keys
from jobs.connection import Client, store_faults


class Pauses:
    """The paused kinds of one store. Workers look at them with each claim, so that a pause outlives every process."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def paused(self) -> dict[str, str]:
        """Each paused kind, and since when."""
        with store_faults():
            held = await cast("Awaitable[dict[bytes, bytes]]", self._client.hgetall(keys.PAUSED))
        return {kind.decode(): since.decode() for kind, since in held.items() if since}

    async def pause(self, kind: str) -> None:
        """Start no job of the kind from now on; a second time changes nothing."""
        if kind in await self.paused():
            return
        with store_faults():
            now = clock.from_microseconds(await self._client.now_us())
            await cast("Awaitable[int]", self._client.hset(keys.PAUSED, kind, now))

    async def resume(self, kind: str) -> None:
        """Start jobs of the kind again: workers put those that were held back into the queue, where they were."""
        if kind in await self.paused():
            with store_faults():
                await cast("Awaitable[int]", self._client.hset(keys.PAUSED, kind, ""))
