"""Jobs by the clock: each slot of a schedule is submitted once, however many workers look at it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from arq.cron import next_cron

from jobs import keys
from jobs.clock import stamp
from jobs.connection import Client, store_faults
from jobs.errors import IdempotencyKeyReused, ScheduleNotFound
from jobs.kind import AnyKind
from jobs.model import JobId, JsonObject
from jobs.queue import Queue, Submission

REMEMBERED = timedelta(days=400)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
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
        slot, latest = self.next_slot(max(after, now - OLDEST)), None
        while slot <= now:
            latest, slot = slot, self.next_slot(slot)
        return latest

    @property
    def when(self) -> str:
        """When it comes round, in words."""
        day = "every day" if self.weekday is None else f"every {DAYS[self.weekday]}"
        minute = "every minute" if self.minute is None else f"minute {self.minute}"
        if self.hour is None:
            return f"{minute} of every hour" if self.weekday is None else f"{minute} of every hour, {day}"
        if self.minute is None:
            return f"every minute from {self.hour:02}:00 to {self.hour:02}:59 UTC, {day}"
        return f"{day} at {self.hour:02}:{self.minute:02} UTC"

    def is_slot(self, moment: datetime) -> bool:
        """Whether it comes round just then."""
        return self.next_slot(moment - timedelta(seconds=1)) == moment

    def next_slot(self, after: datetime) -> datetime:
        """The first slot after that moment."""
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
        now = await self._now()
        return sum([await self._submit_due(schedule, now) for schedule in self._schedules])

    async def listed(self) -> list[JsonObject]:
        """Each schedule: its kind, when it comes round, the last slot that was submitted, and the next."""
        now = await self._now()
        return [await self._told(schedule, now) for schedule in self._schedules]

    def schedule(self, name: str) -> Schedule:
        """The schedule of this name; ScheduleNotFound."""
        if (found := next((each for each in self._schedules if each.name == name), None)) is None:
            raise ScheduleNotFound("No schedule has this name.")
        return found

    async def run(self, name: str, *, request_id: str) -> JobId:
        """The job of the schedule, submitted now, beside those of its slots; ScheduleNotFound."""
        schedule = self.schedule(name)
        by_hand = Submission(schedule.kind, schedule.input, request_id=request_id)
        return (await self._queue.submit(by_hand)).job_id

    async def _told(self, schedule: Schedule, now: datetime) -> JsonObject:
        with store_faults():
            held = await self._client.get(keys.cron(schedule.name))
        looked = datetime.fromisoformat(held.decode()) if held else None
        return {
            "name": schedule.name,
            "kind": schedule.kind.name,
            "when": schedule.when,
            "last": stamp(looked) if looked and schedule.is_slot(looked) else None,
            "next": stamp(schedule.next_slot(now)),
        }

    async def _now(self) -> datetime:
        """The store's clock."""
        with store_faults():
            seconds, microseconds = await self._client.time()
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)

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
