"""The store at a glance, as its operator sees it: what the jobs do, who works on them, and what stands still."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from jobs import clock, keys
from jobs.connection import Client, store_faults
from jobs.figures import kind_and_state
from jobs.model import JobId, JsonObject, State
from jobs.pauses import Pauses
from jobs.roll import Roll
from jobs.store import writable

SHOWN = (State.QUEUED, State.RUNNING, State.SCHEDULED, State.WAITING, State.RETRYING)
NEXT_IN_LINE = 20
"""How many of those that are next are asked how long they have waited."""

CHANGES = "changes"


@dataclass(frozen=True)
class Counts:
    """How many jobs there are of each kind in each state that is not terminal; `changes` grows with each change."""

    by_kind: Mapping[tuple[str, str], int]
    changes: int

    def by_state(self, kind: str | None = None) -> dict[str, int]:
        """How many are in each state, of one kind if it is named; what is being cancelled still runs."""
        counts = dict.fromkeys((state.value for state in SHOWN), 0)
        for (its_kind, state), count in self.by_kind.items():
            if kind in (None, its_kind):
                shown = State.RUNNING if state == State.CANCELLING else state
                counts[shown] = counts.get(shown, 0) + count
        return counts


class Overview:
    """Looks at the whole of one store, with a handful of calls however many jobs there are."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._roll = Roll(client)
        self._pauses = Pauses(client)

    async def counts(self) -> Counts:
        """The jobs that are not over, counted."""
        with store_faults():
            held = await cast("Awaitable[dict[bytes, bytes]]", self._client.hgetall(keys.COUNTS))
        counted = {name.decode(): max(0, int(count)) for name, count in held.items()}
        changes = counted.pop(CHANGES, 0)
        return Counts({kind_and_state(name): count for name, count in counted.items()}, changes)

    async def look(self) -> JsonObject:
        """Everything at this moment, by the store's clock."""
        counts, paused = await self.counts(), await self._pauses.paused()
        with store_faults():
            now_us = await self._client.now_us()
            scopes = [scope.decode() for scope in await self._client.smembers(keys.PARKED)]  # type: ignore[misc]
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.zcard(keys.DEAD_LETTERS)
                pipe.zrevrangebyscore(keys.JOBS, "+inf", "-inf", start=0, num=1)
                pipe.info()
                for name in [*(keys.PARKED + scope for scope in scopes), *(keys.HELD + kind for kind in paused)]:
                    pipe.zcard(name)
                dead, newest, facts, *parked = await pipe.execute()
        return {
            "now": clock.from_microseconds(now_us),
            "jobs": counts.by_state() | {"parked": sum(parked)},
            "dead": dead,
            "oldest_waiting": await self.oldest_waiting(now_us),
            "workers": await self._roll.workers(),
            "store": _store(facts),
            "paused": sorted(paused),
            "newest": newest[0].decode() if newest else None,
            "changes": counts.changes,
        }

    async def oldest_waiting(self, now_us: int) -> float | None:
        """Seconds since one of those that are next fell due, the longest; None where none is due."""
        now_ms = now_us // 1000
        with store_faults():
            due: Any = await self._client.zrangebyscore(
                keys.QUEUE, "-inf", now_ms, start=0, num=NEXT_IN_LINE, withscores=True
            )
            async with self._client.pipeline(transaction=False) as pipe:
                for job_id, _ in due:
                    pipe.hget(keys.job(JobId(job_id.decode())), "ahead_ms")
                ahead = await pipe.execute()
        waits = [now_ms - score - int(each or 0) for (_, score), each in zip(due, ahead, strict=True)]
        return round(max([0.0, *waits]) / 1000, 3) if due else None


def _store(facts: Mapping[str, Any]) -> JsonObject:
    """How full the store is; of most memory, None where it may take all there is."""
    return {
        "memory_bytes": facts["used_memory"],
        "max_memory_bytes": facts.get("maxmemory") or None,
        "state": "ok" if writable(facts) else "read-only",
    }
