"""The roll of the workers: who gave a sign of life lately, by the store's clock, since theirs may differ."""

import json
from operator import itemgetter
from typing import Any

from jobs import clock, keys
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

    async def workers(self) -> list[JsonObject]:
        """The workers that live, by name, with the facts about each and when it gave its last sign."""
        with store_faults():
            living: Any = await self._client.zrangebyscore(
                keys.WORKERS, await self._now() - DEAD_SECONDS, "+inf", withscores=True
            )
            async with self._client.pipeline(transaction=False) as pipe:
                for name, _ in living:
                    pipe.get(keys.worker(name.decode()))
                facts = await pipe.execute()
        told = zip(living, facts, strict=True)
        return sorted((_worker(name.decode(), at, held) for (name, at), held in told), key=itemgetter("name"))

    async def _now(self) -> float:
        seconds, microseconds = await self._client.time()
        return float(seconds + microseconds / 1e6)


def _worker(name: str, seen_seconds: float, held: bytes | None) -> JsonObject:
    """What is told of a worker; one of an older version says less of itself, its name says the rest."""
    host, _, of_process = name.rpartition("-")[0].rpartition("-")
    facts: JsonObject = json.loads(held) if held else {}
    return {
        "name": name,
        "host": host,
        "pid": int(of_process) if of_process.isdigit() else None,
        "slots": facts.get("slots", 0),
        "running": facts.get("running", 0),
        "started_at": facts.get("started_at"),
        "seen_at": clock.from_microseconds(round(seen_seconds * clock.MICROSECONDS)),
    }
