"""The audit log: what the operator did, when, and from where."""

from dataclasses import dataclass
from typing import Any

from jobs import clock, keys
from jobs.connection import Client, store_faults
from jobs.errors import InvalidCursor
from jobs.kind import DAY_SECONDS
from jobs.model import JsonObject

MOST_ACTS = 10_000
KEPT_SECONDS = 90 * DAY_SECONDS
LONGEST_OBJECT = 1000


@dataclass(frozen=True)
class Act:
    """Something that the operator does, `on` a job, a kind or a schedule; never a word of what a job holds."""

    act: str
    on: str
    request_id: str
    address: str


class Audit:
    """The audit log of one store: the newest ten thousand acts, none older than 90 days."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def note(self, act: Act) -> None:
        """Keep the act, which is about to be done; what is too old goes."""
        fields = {"act": act.act, "on": act.on[:LONGEST_OBJECT], "request_id": act.request_id, "address": act.address}
        with store_faults():
            seconds, _ = await self._client.time()
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.xadd(keys.AUDIT, fields, maxlen=MOST_ACTS, approximate=False)  # type: ignore[arg-type]
                pipe.xtrim(keys.AUDIT, minid=str((seconds - KEPT_SECONDS) * 1000), approximate=False)
                pipe.expire(keys.AUDIT, KEPT_SECONDS)
                await pipe.execute()

    async def page(self, *, limit: int, after: str | None = None) -> list[JsonObject]:
        """Up to `limit` acts before the one that the cursor names, the newest first; each with its `cursor`."""
        top = "+" if after is None else f"({_place(after)}"
        with store_faults():
            rows: Any = await self._client.xrevrange(keys.AUDIT, max=top, min="-", count=limit)
        return [_told(place.decode(), held) for place, held in rows]


def _place(cursor: str) -> str:
    at_ms, dash, number = cursor.partition("-")
    if not (dash and all(each.isascii() and each.isdigit() and len(each) <= 18 for each in (at_ms, number))):
        raise InvalidCursor("This is no cursor of this list.")
    return cursor


def _told(place: str, held: dict[bytes, bytes]) -> JsonObject:
    at_us = int(place.partition("-")[0]) * 1000
    facts = {name.decode(): value.decode() for name, value in held.items()}
    return {"at": clock.from_microseconds(at_us), **facts, "cursor": place}
