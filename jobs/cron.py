"""Jobs by the clock: each slot of a schedule is submitted once, however many workers look at it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from arq.cron import next_cron

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.errors import IdempotencyKeyReused
from jobs.kind import AnyKind
from jobs.model import JsonObject
from jobs.queue import Queue, Submission

REMEMBERED = timedelta(days=400)
OLDEST = timedelta(days=7)
"""How far back a missed slot is still caught up."""


@dataclass(frozen=True)
class Schedule:
    """A kind to run by the clock, UTC; a field that is None matches always. Slots that were missed while no worker
    ran are caught up by one run, for the latest of them."""

    name: str
    kind: AnyKind
    input: JsonObject = field(default_factory=dict)
    weekday: int | None = None
    hour: int | None = None
    minute: int | None = 0

    def latest_slot(self, after: datetime, now: datetime) -> datetime | None:
        """The newest slot in (after, now], None where there is none."""
        slot, latest = self._next(max(after, now - OLDEST)), None
        while slot <= now:
            latest, slot = slot, self._next(slot)
        return latest

    def _next(self, after: datetime) -> datetime:
        return next_cron(after, weekday=self.weekday, hour=self.hour, minute=self.minute, second=0, microsecond=0)


class Cron:
    """Submits what its schedules say, by the store's clock."""

    def __init__(self, client: Client, schedules: Sequence[Schedule]) -> None:
        self._client = client
        self._queue = Queue(client)
        self._schedules = schedules

    async def tick(self) -> int:
        """Submit every slot that has come since the last look; how many there were."""
        if not self._schedules:
            return 0
        with store_faults():
            seconds, microseconds = await self._client.time()
        now = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
        return sum([await self._submit_due(schedule, now) for schedule in self._schedules])

    async def _submit_due(self, schedule: Schedule, now: datetime) -> int:
        name = keys.cron(schedule.name)
        with store_faults():
            held = await self._client.set(name, now.isoformat(), nx=True, get=True, ex=REMEMBERED)
        if held is None:
            return 0
        slot = schedule.latest_slot(datetime.fromisoformat(held.decode()), now)
        if slot is None:
            return 0
        key = f"cron:{schedule.name}:{slot.isoformat()}"
        with suppress(IdempotencyKeyReused):  # another version has submitted this slot, with another input
            await self._queue.submit(Submission(schedule.kind, schedule.input, idempotency_key=key))
        with store_faults():  # only now: a crash before this finds the slot again, and its key
            await self._client.set(name, slot.isoformat(), ex=REMEMBERED)
        return 1
