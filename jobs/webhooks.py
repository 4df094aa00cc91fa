"""Webhooks: whoever asked for it is told of a job's end. Each run has one delivery, which may outlive its job."""

from collections.abc import Iterable
from typing import Any

from jobs import keys
from jobs.connection import Client, Script, store_faults
from jobs.deliveries import Delivery, Story, Try, delivery_of, story_of
from jobs.errors import DeliveryNotFound, InvalidCursor
from jobs.model import JobId

LEASE_SECONDS = 30.0
"""How long whoever took a delivery has it alone."""

PAGE = 200


class Webhooks:
    """The deliveries of one store."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._take = Script(client, "deliveries_take")
        self._settle = Script(client, "deliveries_settle")
        self._again = Script(client, "deliveries_again")

    async def take(self, *, slots: int, most_of_one: int, token: str, busy: Iterable[str]) -> list[Delivery]:
        """Up to `slots` deliveries that are due, of each host `most_of_one`, and none of the hosts that are busy;
        nobody else is given them while their lease lasts."""
        rows = await self._take(slots, most_of_one, round(LEASE_SECONDS * 1000), token, *busy)
        named = [(name.decode(), dict(zip(flat[::2], flat[1::2], strict=True))) for name, flat in rows]
        return [delivery_of(self._client.sealer, name, held) for name, held in named]

    async def settle(self, delivery: Delivery, how: Try) -> None:
        """Note how a try went; nothing is noted for who does not have the delivery any more."""
        status, delay_ms = how.status or "", round(how.delay_seconds * 1000)
        await self._settle(delivery.id, delivery.token, how.outcome, status, how.error, delay_ms)

    async def again(self, delivery_id: str) -> Story:
        """The delivery, which is to be made once more, with as many tries as the first time; DeliveryNotFound."""
        await self._again(delivery_id)
        found = await self._stories([delivery_id])
        if not found:
            raise DeliveryNotFound("No delivery has this id, or it is older than a week.")
        return found[0]

    async def newest(self, *, limit: int, after: str | None = None) -> tuple[list[Story], str | None]:
        """Up to `limit` deliveries of all jobs that come after the cursor, newest first; and the next cursor, None at
        the end."""
        place = _place(after)
        top, behind = ("+inf", 0) if place is None else (str(place[0]), 0)
        rows: list[tuple[int, str]] = []
        while len(rows) <= limit:
            with store_faults():
                held: Any = await self._client.zrevrangebyscore(
                    keys.DELIVERIES, top, "-inf", start=behind, num=PAGE, withscores=True
                )
            found = [(int(score), name.decode()) for name, score in held]
            rows += [row for row in found if place is None or row < place]
            behind += PAGE
            if len(held) < PAGE:
                break
        shown = rows[:limit]
        last = f"{shown[-1][0]}-{shown[-1][1]}" if len(rows) > limit else None
        return await self._stories([name for _, name in shown]), last

    async def of_job(self, job_id: JobId) -> list[Story]:
        """The job's deliveries, that of its newest run first."""
        with store_faults():
            held = await self._client.smembers(keys.deliveries(job_id))  # type: ignore[misc]
        return await self._stories(sorted((name.decode() for name in held), key=_run_of, reverse=True))

    async def _stories(self, names: list[str]) -> list[Story]:
        with store_faults():
            async with self._client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hgetall(keys.delivery(name))
                found = await pipe.execute()
        return [story_of(self._client.sealer, name, held) for name, held in zip(names, found, strict=True) if held]


def _run_of(delivery_id: str) -> int:
    return int(delivery_id.rpartition("-")[2])


def _place(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    at_ms, _, delivery_id = cursor.partition("-")
    if not (at_ms.isascii() and at_ms.isdigit() and len(at_ms) <= 16):
        raise InvalidCursor("This is no cursor of this list.")
    return int(at_ms), delivery_id
