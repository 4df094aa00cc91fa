"""The way in and out: jobs are submitted, cancelled, started again and forgotten here."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson
import structlog

from jobs import keys
from jobs.clock import MICROSECONDS
from jobs.connection import Client, Script, store_faults
from jobs.contents import Contents, field_of
from jobs.encryption import Sealer
from jobs.endpoints import Endpoint
from jobs.enqueuing import LIFETIME_SECONDS, Enqueuing, enqueue
from jobs.errors import (
    AlreadyCompleted,
    IdempotencyKeyReused,
    InvalidInput,
    JobEnded,
    JobNotFound,
    NotTerminal,
    QueueFull,
    StoreUnavailable,
    TooManyJobs,
    Violation,
)
from jobs.images import Images, name_of, spelled_out
from jobs.kind import AnyKind, leads_to
from jobs.log import Log, part_head
from jobs.model import UNSET_PART, JobId, JsonObject, State, new_job_id
from jobs.snapshot import Story
from jobs.traces import here
from jobs.updates import one_line

HEAD_START_MS = 60_000
"""How much earlier in the queue one step of priority puts a job: waiting ages it, so nothing starves."""

_TRIES = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Room:
    """What may be there at most before a job comes in: jobs of its subject that go on, and jobs in the queue.
    0 is no limit."""

    active: int = 0
    waiting: int = 0

    @property
    def arguments(self) -> tuple[str, str]:
        return str(self.active), str(self.waiting)


NO_LIMIT = Room()


@dataclass(frozen=True)
class Submission:
    """A job to be: the kind's input, already checked, and what its submitter chose."""

    kind: AnyKind
    input: JsonObject
    subject: str | None = None
    idempotency_key: str | None = None
    priority: int = 5
    run_at: datetime | None = None
    delay: float = 0.0
    metadata: dict[str, str] = field(default_factory=dict)
    request_id: str = ""
    trace: str = field(default_factory=here)
    """Where its trace goes on: where its submitter stands."""
    parent: JobId | None = None
    depth: int = 0
    room: Room = NO_LIMIT
    image: bytes = b""
    webhook: Endpoint | None = None

    @property
    def idempotency(self) -> str:
        """The key under which a repeat finds the job; empty where none was asked for."""
        if self.idempotency_key is None:
            return ""
        return keys.idempotency(self.subject, self.kind.name, self.idempotency_key)

    @property
    def said(self) -> bytes:
        """The input, the same however its JSON was ordered."""
        return orjson.dumps(self.input, option=orjson.OPT_SORT_KEYS)

    def enqueuing(self, job_id: JobId, sealer: Sealer) -> Enqueuing:
        """The write that makes the job."""
        contents = Contents(sealer, job_id, self.subject)
        given = contents.seal("input", orjson.dumps(self.input))
        run_at_us = round(self.run_at.timestamp() * MICROSECONDS) if self.run_at else 0
        return Enqueuing(
            job_id,
            "submit",
            [
                *(job_id, given, self.idempotency, sealer.digest(self.said) if self.idempotency else ""),
                *(self.subject or "", self.parent or "", str(self.priority * HEAD_START_MS)),
                *(str(round(self.delay * 1000)), str(run_at_us), *self.room.arguments, self.image),
                *self._record(),
                *self._webhook(contents),
            ],
            new=[keys.job(job_id), *([self.idempotency] if self.idempotency else [])],
            expires_seconds=LIFETIME_SECONDS + self.delay + max(0.0, run_at_us / MICROSECONDS - time.time()),
        )

    def _webhook(self, contents: Contents) -> list[str | bytes]:
        """Whom to tell of the end; whose deliveries take turns with it cannot be read from its host."""
        if self.webhook is None:
            return []
        host = contents.sealer.digest(self.webhook.authority.encode())
        return ["webhook", contents.seal("webhook", self.webhook.url.encode()), "webhook_host", host]

    def _record(self) -> list[str]:
        return [
            *("kind", self.kind.name, "priority", str(self.priority), "depth", str(self.depth)),
            *("metadata", orjson.dumps(self.metadata).decode(), "max_attempts", str(self.kind.max_attempts)),
            *("retention", str(self.kind.retention_seconds * 1000)),
            *("failed_retention", str(self.kind.failed_retention_seconds * 1000)),
            *("request_id", self.request_id),
            *(("trace", self.trace) if self.trace else ()),
        ]


@dataclass(frozen=True)
class Submitted:
    """The job that a submission made, or the one that an earlier one with its key had made."""

    job_id: JobId
    new: bool


class Queue:
    """Every change of a job that a client may ask for."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._log = Log(client)
        self.images = Images(client)
        self._cancel = Script(client, "cancel")
        self._forget = Script(client, "forget")

    async def submit(self, submission: Submission) -> Submitted:
        """The job, written whole: record, first update, arq's entry and the bell are one transaction.

        IdempotencyKeyReused where its key belongs to another input; TooManyJobs or QueueFull where there is no
        room. StoreUnavailable may leave a job behind, of which the caller was told nothing: a repeat with the
        same key finds it."""
        job_id = new_job_id()
        submitted = await self._submit(await self._with_image(submission, job_id), job_id)
        if submitted.new:
            told = {"kind": submission.kind.name, "request_id": submission.request_id or None}
            log.info("job submitted", **told, job_id=job_id, parent=submission.parent)
        return submitted

    async def _submit(self, submission: Submission, job_id: JobId) -> Submitted:
        for _ in range(_TRIES):
            if earlier := await self._earlier(submission):
                return Submitted(earlier, new=earlier == job_id)
            answer = await enqueue(self._client, submission.enqueuing(job_id, self._client.sealer))
            _check_taken(answer)
            if answer is not None:
                return Submitted(job_id, new=True)
            if await self._exists(job_id):  # written, though the reply was lost
                return Submitted(job_id, new=True)
        raise StoreUnavailable("The store did not take the job; try again in a moment.")

    async def cancel(self, job_id: JobId) -> bool:
        """Whether this call changed anything: a job that nobody holds ends at once, else its worker is told."""
        answer = await self._cancel(job_id)
        if answer == b"GONE":
            raise JobNotFound("No job has this id, or it has expired.")
        return bool(answer != b"UNCHANGED")

    async def retry(
        self,
        job_id: JobId,
        *,
        parts: frozenset[str] = frozenset(),
        from_start: bool = False,
        room: Room = NO_LIMIT,
    ) -> None:
        """Start the job's next run: from its kept steps, from the start, or of some of its parts alone.

        NotTerminal while a run goes on; AlreadyCompleted where nothing but parts can be run again; TooManyJobs
        or QueueFull where there is no room."""
        for _ in range(_TRIES):
            story = await self._log.story(job_id)
            _check_retry(story, parts)
            contents = Contents(self._client.sealer, job_id, story.subject)
            run = _next_run(contents, story, parts=parts, from_start=from_start, room=room)
            answer = await enqueue(self._client, run)
            _check_taken(answer)
            if answer == b"QUEUED":
                return
        raise StoreUnavailable("The store did not take the retry; look at the job, and try again.")

    async def forget(self, job_id: JobId) -> None:
        """Delete an ended job and all its data; NotTerminal while it goes on."""
        match await self._forget(job_id, "now"):
            case b"GONE":
                raise JobNotFound("No job has this id, or it has expired.")
            case b"NOT_TERMINAL":
                raise NotTerminal("The job has not ended; cancel it first, or wait for its end.")

    async def forget_subject(self, subject: str) -> int:
        """Delete every job of the subject; how many had to be cancelled, and are deleted once they have ended."""
        with store_faults():
            job_ids = await self._client.zrange(keys.SUBJECTS + subject, 0, -1)
        left = 0
        for job_id in (JobId(each.decode()) for each in job_ids):
            if await self._forget(job_id, "soon") == b"NOT_TERMINAL":
                left += 1
                await self._cancel(job_id)
        if job_ids:
            with store_faults():  # not the whole list: a job may have come in meanwhile
                await self._client.zrem(keys.SUBJECTS + subject, *job_ids)
        return left

    async def input_of(self, job_id: JobId, *, subject: str | None) -> JsonObject:
        """What the subject's job was given; JobNotFound where it has none of this id."""
        with store_faults():
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.hget(keys.job(job_id), "subject")
                pipe.get(keys.payload(job_id))
                owner, given = await pipe.execute()
        if owner is None or given is None or (owner.decode() or None) != subject:
            raise JobNotFound("No job has this id, or it has expired.")
        held: JsonObject = orjson.loads(Contents(self._client.sealer, job_id, subject).open("input", given))
        return held

    async def _with_image(self, submission: Submission, job_id: JobId) -> Submission:
        """The submission with what its input says of an image taken out: the file is redrawn, the input names it."""
        name = submission.kind.image_field
        if name is None or name not in submission.input:
            return submission
        file = spelled_out(submission.input[name])
        image = self.images.sealed(await self.images.redrawn(file), job_id, submission.subject)
        return replace(submission, input={**submission.input, name: name_of(file)}, image=image)

    async def of_key(self, subject: str | None, key: str, kinds: Iterable[str]) -> list[JobId]:
        """The jobs that the subject's idempotency key belongs to, one at most of each of the kinds."""
        with store_faults():
            async with self._client.pipeline(transaction=False) as pipe:
                for kind in kinds:
                    pipe.get(keys.idempotency(subject, kind, key))
                held = await pipe.execute()
        return [JobId(each.decode().partition(" ")[0]) for each in held if each]

    async def _earlier(self, submission: Submission) -> JobId | None:
        if not submission.idempotency:
            return None
        with store_faults():
            held = await self._client.get(submission.idempotency)
        if held is None:
            return None
        job_id, digest = held.decode().split(" ")
        if not self._client.sealer.has_digest(submission.said, digest):
            raise IdempotencyKeyReused("This idempotency key was used with another input; choose a new one.")
        return JobId(job_id)

    async def _exists(self, job_id: JobId) -> bool:
        with store_faults():
            return bool(await self._client.exists(keys.job(job_id)))


def _check_taken(answer: bytes | None) -> None:
    match answer:
        case b"TOO_MANY_JOBS":
            raise TooManyJobs("This subject has as many jobs as may go on at once; wait for one, or cancel one.")
        case b"QUEUE_FULL":
            raise QueueFull("So many jobs wait that no more are taken; try again in a while.")
        case b"PARENT_ENDED":
            raise JobEnded("The job that this one belongs to has ended, or is about to.")


def _check_retry(story: Story, parts: frozenset[str]) -> None:
    if not story.state.terminal:
        raise NotTerminal("The job has not ended; cancel it first, or wait for its end.")
    if story.state is State.COMPLETED and not parts:
        raise AlreadyCompleted("The job completed; name the parts that should be run again.")
    if not parts <= story.snapshot["parts"].keys():
        wrong = Violation("/parts", "not every one is a part of the job")
        raise InvalidInput("The job has no such part.", violations=(wrong,))


def _next_run(contents: Contents, story: Story, *, parts: frozenset[str], from_start: bool, room: Room) -> Enqueuing:
    """The write that starts the next run; what the end changed for clients becomes what is stored."""
    job_id = JobId(contents.job_id)
    kept_parts = {} if from_start else story.snapshot["parts"]
    kept_steps = [] if from_start else story.snapshot["steps"]
    names = [step["name"] for step in kept_steps]
    changes = [
        each
        for name, part in kept_parts.items()
        for each in _part_change(contents, name, part, names, again=name in parts)
    ]
    steps = [each for step in kept_steps for each in _step_change(contents, step)]
    return Enqueuing(
        job_id,
        "retry",
        [
            *(job_id, str(story.cursor.us), str(story.cursor.seq)),
            *("start" if from_start else "", ",".join(sorted(parts)), *room.arguments, str(len(kept_parts))),
            *changes,
            *steps,
        ],
    )


def _step_change(contents: Contents, step: JsonObject) -> tuple[str, bytes]:
    """A step's name and stored value."""
    return step["name"], contents.seal(field_of("step", step["name"]), one_line(orjson.dumps(step)))


def _part_change(
    contents: Contents, name: str, part: JsonObject, steps: list[str], *, again: bool
) -> list[str | bytes]:
    """A part's name, stored value, head, update if it goes back to the beginning, and the steps that led to it."""
    value = {**UNSET_PART, "attempt": part["attempt"]} if again else part
    stored = {field: each for field, each in value.items() if field != "text"}
    update = one_line(orjson.dumps({"part": name, **value})) if again else b""
    forgotten = ",".join(step for step in steps if leads_to(name, step))
    return [
        name,
        contents.seal(field_of("part", name), one_line(orjson.dumps(stored))),
        contents.seal_head(name, part_head(value)),
        contents.seal_update("part", update),
        forgotten,
    ]
