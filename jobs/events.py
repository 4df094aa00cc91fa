"""Named events: whoever sends one starts the jobs of the kinds that are subscribed to it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import NewType

import orjson
import structlog
from pydantic import ValidationError

from jobs import clock, keys
from jobs.connection import Client, store_faults
from jobs.contents import Contents
from jobs.encryption import SEALED, Sealer
from jobs.errors import EventNotFound, IdempotencyKeyReused, ImageRejected, ImageTooLarge, IntegrityError, JobNotFound
from jobs.kind import DAY_SECONDS, AnyKind
from jobs.log import Log
from jobs.model import JobId, JsonObject, known
from jobs.queue import NO_LIMIT, Queue, Room, Submission
from jobs.traces import here

EventId = NewType("EventId", str)

KEPT_SECONDS = 7 * DAY_SECONDS
DEEPEST = 8
"""How many events may follow from one another; a longer chain is a loop, and is dropped."""

OUTBOX_BATCH = 50

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Subscription:
    """A kind that an event starts, for data that fits, with an input made of that data."""

    event: str
    kind: AnyKind
    fits: Callable[[JsonObject], bool] = lambda _: True
    to_input: Callable[[JsonObject], JsonObject] = lambda data: data

    def input_of(self, data: JsonObject) -> JsonObject | None:
        """The kind's input, or None where the data is none that it takes."""
        try:
            if not self.fits(data):
                return None
            checked = self.kind.input.model_validate(self.to_input(data))
        except ValidationError:
            return None
        except Exception:
            log.warning(
                "event does not suit a subscription", event_name=self.event, kind=self.kind.name, exc_info=True
            )
            return None
        kept: JsonObject = checked.model_dump(mode="json", exclude_unset=True, by_alias=True)
        return kept


@dataclass(frozen=True)
class Event:
    """An event to be sent; `depth` counts the events and jobs that led to it."""

    name: str
    data: JsonObject
    subject: str | None = None
    priority: int = 5
    run_at: datetime | None = None
    delay: float = 0.0
    request_id: str = ""
    trace: str = field(default_factory=here)
    depth: int = 0


@dataclass(frozen=True)
class Sent:
    """An event that was taken, and the jobs that it started; none: it is kept as dropped."""

    event_id: EventId
    job_ids: list[JobId]


class Events:
    """Every event of one store."""

    def __init__(self, client: Client, kinds: Mapping[str, AnyKind], more: Sequence[Subscription] = ()) -> None:
        self._client = client
        self._queue = Queue(client)
        self._log = Log(client)
        self._subscriptions = [*(Subscription(kind.name, kind) for kind in kinds.values()), *more]

    def started_by(self, event: Event) -> list[tuple[AnyKind, JsonObject]]:
        """The kinds that the event starts, each with its input."""
        fitting = ((each.kind, each.input_of(event.data)) for each in self._subscriptions if each.event == event.name)
        return [(kind, given) for kind, given in fitting if given is not None]

    async def send(self, event: Event, *, idempotency_key: str | None = None, room: Room = NO_LIMIT) -> Sent:
        """The event's id and jobs. A repeat with the same key, or after a lost reply, starts nothing twice.

        TooManyJobs or QueueFull where there is no room for one of them; a repeat with the same key does the rest."""
        return await self.deliver(await self._id_of(event, idempotency_key), event, room=room)

    async def deliver(self, event_id: EventId, event: Event, *, room: Room = NO_LIMIT) -> Sent:
        """Start what the event starts; delivering it again completes what was cut off, and starts nothing twice."""
        started = [] if event.depth > DEEPEST else self.started_by(event)
        if event.depth > DEEPEST:
            log.warning("event dropped: the chain of events is too long", event_name=event.name, event_id=event_id)
        await self._record(event_id, event, [])
        starts = [await self._start(event_id, event, kind, given, room) for kind, given in started]
        job_ids = [job_id for job_id in starts if job_id is not None]
        await self._record(event_id, event, job_ids)
        return Sent(event_id, job_ids)

    async def find(self, event_id: EventId) -> JsonObject:
        """What became of the event; EventNotFound once it is a week old. `subject` says whose it is."""
        with store_faults():
            held = await self._client.get(keys.event(event_id))
        if held is None:
            raise EventNotFound("No event has this id, or it is older than a week.")
        event: JsonObject = orjson.loads(held)
        jobs = [await self._job(JobId(job_id)) for job_id in event["job_ids"]]
        return {
            "id": event_id,
            "name": event["name"],
            "received_at": event["received_at"],
            "dropped": not event["job_ids"],
            "jobs": [job for job in jobs if job is not None],
            "subject": event["subject"],
        }

    async def relay(self) -> int:
        """Deliver what running jobs have sent; how many there were. Twice is as good as once."""
        with store_faults():
            waiting = await self._client.lrange(keys.OUTBOX, 0, OUTBOX_BATCH - 1)  # type: ignore[misc]
        for message in waiting:
            await self._relay(message)
            with store_faults():
                await self._client.lrem(keys.OUTBOX, 1, message)  # type: ignore[misc]
        return len(waiting)

    async def _relay(self, message: bytes) -> None:
        """Deliver one message; one that is no event is dropped, so that it does not hold up the others."""
        try:
            event_id, event = _incoming(message, self._client.sealer)
        except (ValueError, KeyError, TypeError, IntegrityError):
            log.error("event dropped: what was sent cannot be read")  # noqa: TRY400  # its traceback would show it
            return
        await self.deliver(event_id, event)

    async def _start(
        self, event_id: EventId, event: Event, kind: AnyKind, given: JsonObject, room: Room
    ) -> JobId | None:
        """The job; None where its image is none, or where another version made another input of the data already."""
        submission = Submission(
            kind=kind,
            input=given,
            subject=event.subject,
            idempotency_key=f"event:{event_id}",
            priority=event.priority,
            run_at=event.run_at,
            delay=event.delay,
            request_id=event.request_id,
            trace=event.trace,
            depth=event.depth,
            room=room,
        )
        try:
            return (await self._queue.submit(submission)).job_id
        except IdempotencyKeyReused:
            log.warning("event started this kind in another version already", event_id=event_id, kind=kind.name)
            return None
        except (ImageRejected, ImageTooLarge):  # data that the kind does not accept, as it turns out
            return None

    async def _id_of(self, event: Event, key: str | None) -> EventId:
        """A new id, or the one that the key was given before."""
        fresh = f"{secrets.token_urlsafe(24)}"
        if key is None:
            return EventId(fresh)
        said, sealer = orjson.dumps(event.data, option=orjson.OPT_SORT_KEYS), self._client.sealer
        fresh = f"{fresh} {sealer.digest(said)}"
        name = keys.idempotency(event.subject, f"event {event.name}", key)
        with store_faults():
            held = await self._client.set(name, fresh, nx=True, get=True, ex=KEPT_SECONDS)
        known, _, digest = (held.decode() if held else fresh).partition(" ")
        if not sealer.has_digest(said, digest):
            raise IdempotencyKeyReused("This idempotency key was used with other data; choose a new one.")
        return EventId(known)

    async def _record(self, event_id: EventId, event: Event, job_ids: list[JobId]) -> None:
        facts = {"name": event.name, "subject": event.subject, "received_at": clock.now(), "job_ids": job_ids}
        name = keys.event(event_id)
        with store_faults():
            if job_ids:
                held = await self._client.get(name)
                facts["received_at"] = orjson.loads(held)["received_at"] if held else facts["received_at"]
                await self._client.set(name, orjson.dumps(facts), ex=KEPT_SECONDS)
            else:
                await self._client.set(name, orjson.dumps(facts), ex=KEPT_SECONDS, nx=True)

    async def _job(self, job_id: JobId) -> JsonObject | None:
        try:
            head = await self._log.head(job_id)
        except JobNotFound:
            return None
        return {"id": job_id, "kind": head.kind, "state": head.state}


def outgoing(event_id: EventId, event: Event, sealer: Sealer) -> bytes:
    """An event as the outbox keeps it, until a worker delivers it: its data is a string if it is sealed."""
    data = Contents(sealer, event_id, event.subject).seal("event", orjson.dumps(event.data))
    kept = data.decode() if data.startswith(SEALED) else event.data
    return orjson.dumps({**asdict(event), "data": kept, "event_id": event_id})


def _incoming(message: bytes, sealer: Sealer) -> tuple[EventId, Event]:
    sent = orjson.loads(message)
    event_id, event = EventId(sent["event_id"]), known(Event, sent)
    kept = sent["data"].encode() if isinstance(sent["data"], str) else orjson.dumps(sent["data"])
    data = Contents(sealer, event_id, event.subject).open("event", kept)
    return event_id, replace(event, data=orjson.loads(data))
