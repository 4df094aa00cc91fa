"""Submit and cancel: our record and arq's entry in one transaction, so that a job is there whole or not at all."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from arq.connections import ArqRedis
from redis.asyncio.client import Pipeline
from redis.exceptions import NoScriptError

from jobs import keys
from jobs.clock import MICROSECONDS
from jobs.connection import Client, Script, script_text, store_faults
from jobs.errors import IdempotencyKeyReused, JobNotFound, StoreUnavailable
from jobs.kind import AnyKind
from jobs.model import JobId, JsonObject, new_job_id

ARQ_FUNCTION = "run_job"
"""The one arq function that runs every kind."""

LIFETIME_SECONDS = 30 * 24 * 3600
"""How long a job that nobody runs is kept once it is due; arq's default would drop it after a day."""

HEAD_START_MS = 60_000
"""How much earlier in the queue one step of priority puts a job: waiting ages it, so nothing starves."""

_TRIES = 3


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

    @property
    def idempotency(self) -> str:
        """The key under which a repeat finds the job; empty where none was asked for."""
        if self.idempotency_key is None:
            return ""
        return keys.idempotency(self.subject, self.kind.name, self.idempotency_key)

    @property
    def digest(self) -> str:
        """Tells two inputs apart, however their JSON was ordered."""
        return hashlib.sha256(orjson.dumps(self.input, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def record(self) -> list[str]:
        """The fields of the record that are known before the job starts."""
        return [
            *("kind", self.kind.name, "subject", self.subject or "", "priority", str(self.priority)),
            *("metadata", orjson.dumps(self.metadata).decode(), "max_attempts", str(self.kind.max_attempts)),
            *("retention", str(self.kind.retention_seconds * 1000)),
            *("failed_retention", str(self.kind.failed_retention_seconds * 1000)),
            *("request_id", self.request_id),
        ]


@dataclass(frozen=True)
class Submitted:
    """The job that a submission made, or the one that an earlier one with its key had made."""

    job_id: JobId
    new: bool


class Queue:
    """The way in: jobs are submitted to it and cancelled through it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._cancel = Script(client, "cancel")

    async def submit(self, submission: Submission) -> Submitted:
        """The job, written whole: record, first update, arq's entry and the bell are one transaction.

        IdempotencyKeyReused where its key belongs to another input. StoreUnavailable may leave a job behind,
        of which the caller was told nothing: a repeat with the same key finds it."""
        job_id = new_job_id()
        for _ in range(_TRIES):
            if earlier := await self._earlier(submission):
                return Submitted(earlier, new=False)
            if await self._enqueue(job_id, submission):
                return Submitted(job_id, new=True)
        raise StoreUnavailable("The store did not take the job; try again in a moment.")

    async def cancel(self, job_id: JobId) -> bool:
        """Whether this call changed anything: a job that nobody holds ends at once, else its worker is told."""
        answer = await self._cancel(job_id)
        if answer == b"GONE":
            raise JobNotFound("No job has this id, or it has expired.")
        return bool(answer != b"UNCHANGED")

    async def _earlier(self, submission: Submission) -> JobId | None:
        if not submission.idempotency:
            return None
        with store_faults():
            held = await self._client.get(submission.idempotency)
        if held is None:
            return None
        job_id, digest = held.decode().split(" ")
        if digest != submission.digest:
            raise IdempotencyKeyReused("This idempotency key was used with another input; choose a new one.")
        return JobId(job_id)

    async def _enqueue(self, job_id: JobId, submission: Submission) -> bool:
        """Whether the job is there now. None from arq may be a lost connection as well as a duplicate."""
        client = _Enqueuing(self._client, job_id, submission)
        expires = LIFETIME_SECONDS + submission.delay
        with store_faults():
            try:
                made = await client.enqueue_job(ARQ_FUNCTION, job_id, _job_id=job_id, _expires=expires)
            except NoScriptError:  # a new or restarted store; of the transaction only arq's own entry was written
                await self._client.script_load(script_text("submit"))
                await self._client.delete(keys.ARQ_JOB + job_id)
                return False
            return made is not None or bool(await self._client.exists(keys.job(job_id)))


class _Enqueuing(ArqRedis):
    """arq's client for one submission: what it enqueues carries our record."""

    def __init__(self, client: Client, job_id: JobId, submission: Submission) -> None:
        super().__init__(
            client.connection_pool, client.job_serializer, client.job_deserializer, client.default_queue_name
        )
        self._job_id = job_id
        self._submission = submission

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> "_Transaction":  # noqa: FBT001, FBT002  # arq calls it so
        pipeline = _Transaction(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.job_id, pipeline.submission = self._job_id, self._submission
        return pipeline


class _Transaction(Pipeline):
    """arq's transaction, which also watches the idempotency key and lets our script set the place in the queue:
    arq would take it from the enqueuer's clock, and the store's is the one that all share."""

    job_id: JobId
    submission: Submission

    async def watch(self, *names: Any) -> None:  # type: ignore[override]  # the stubs disagree with each other
        await super().watch(*names, *self._also_ours())

    def exists(self, *names: Any) -> Any:
        return super().exists(*names, *self._also_ours())

    def zadd(self, name: Any, mapping: Any, *_arguments: Any, **_options: Any) -> Any:  # noqa: ARG002
        return self.evalsha(_SUBMIT_SHA, 0, *self._script_arguments())  # type: ignore[arg-type]  # bytes are fine

    def _also_ours(self) -> list[str]:
        return [self.submission.idempotency] if self.submission.idempotency else []

    def _script_arguments(self) -> list[str | bytes]:
        submission = self.submission
        run_at_us = round(submission.run_at.timestamp() * MICROSECONDS) if submission.run_at else 0
        return [
            *(self.job_id, orjson.dumps(submission.input), submission.idempotency, submission.digest),
            str(submission.priority * HEAD_START_MS),
            *(str(round(submission.delay * 1000)), str(run_at_us), str(LIFETIME_SECONDS * 1000)),
            *submission.record(),
        ]


_SUBMIT_SHA = hashlib.sha1(script_text("submit").encode(), usedforsecurity=False).hexdigest()
