"""The roll of the workers: who gave a sign of life lately, by the store's clock, since theirs may differ."""

import json

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.model import JsonObject

DEAD_SECONDS = 15.0
"""Who gave no sign for so long is taken for dead."""

KEPT_SECONDS = 3600


class Roll:
    """The workers of one store."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def sign(self, name: str, facts: JsonObject) -> None:
        """The worker lives, and these are the facts about it; the dead are taken off."""
        with store_faults():
            now = await self._now()
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.zadd(keys.WORKERS, {name: now})
                pipe.zremrangebyscore(keys.WORKERS, "-inf", now - DEAD_SECONDS)
                pipe.expire(keys.WORKERS, KEPT_SECONDS)
                pipe.set(keys.worker(name), json.dumps(facts), ex=round(DEAD_SECONDS))
                await pipe.execute()

    async def leave(self, name: str) -> None:
        """The worker ends in order."""
        with store_faults():
            await self._client.zrem(keys.WORKERS, name)

    async def living(self) -> int:
        """How many workers live."""
        with store_faults():
            return int(await self._client.zcount(keys.WORKERS, await self._now() - DEAD_SECONDS, "+inf"))

    async def names(self) -> list[str]:
        """The workers that live."""
        with store_faults():
            living = await self._client.zrangebyscore(keys.WORKERS, await self._now() - DEAD_SECONDS, "+inf")
        return [name.decode() for name in living]

    async def _now(self) -> float:
        seconds, microseconds = await self._client.time()
        return float(seconds + microseconds / 1e6)
