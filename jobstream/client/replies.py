"""What the service answers beside jobs: pages, events, dead letters, tokens, kinds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import AwareDatetime, Field

from jobstream.client.fold import JsonObject
from jobstream.client.job import Failure, Job, State, View

Item = TypeVar("Item")


class Page(View, Generic[Item]):
    """Some of a list, newest first; `next` is the cursor of the page after it, None where there is none."""

    items: tuple[Item, ...]
    next: str | None = None


@dataclass(frozen=True)
class Update:
    """One entry of a job's log: its cursor, its type, and what it says."""

    id: str
    event: str
    data: JsonObject


class Updates(View):
    """Some of a job's log, oldest first; the rest follows `cursor`.

    `reset`: it does not go on from where it was asked to, but begins with the oldest entry that is kept; `closed`:
    the job has ended, and this is all."""

    items: tuple[Update, ...]
    cursor: str | None
    reset: bool
    closed: bool


class Token(View):
    """A signed token, and when it ends."""

    token: str = Field(repr=False)
    expires_at: AwareDatetime


class Sent(View):
    """An event that was taken, and the jobs that it started; none: no kind took its data."""

    event_id: str
    job_ids: tuple[str, ...]


class EventJob(View):
    """A job that an event started, as it is now."""

    id: str
    kind: str
    state: State


class EventStory(View):
    """What became of an event."""

    id: str
    name: str
    received_at: AwareDatetime
    dropped: bool
    jobs: tuple[EventJob, ...]


class FailedAttempt(View):
    """How one attempt of a dead letter went wrong."""

    run: int
    attempt: int
    at: AwareDatetime
    outcome: Literal["retrying", "worker-lost", "failed"]
    error: Failure | None


class DeadLetter(Job):
    """A job that failed for good: what it was given, and how its newest hundred attempts failed, oldest first."""

    input: Mapping[str, Any] = Field(repr=False)
    failures: tuple[FailedAttempt, ...]


class ErrorCount(View):
    """How many dead letters of a kind have an error of this type."""

    kind: str
    error_type: str
    count: int


class Kind(View):
    """A kind of job: the JSON Schema of its input, its limits (bytes, seconds), and how long its jobs are kept."""

    name: str
    summary: str
    input: Mapping[str, Any] = Field(repr=False)
    body_limit: int
    timeout: float | None
    max_attempts: int
    retention: float
    failed_retention: float


def read_jobs(body: bytes) -> Page[Job]:
    """A page of jobs, each with all that was told of it."""
    page = Page[JsonObject].model_validate_json(body)
    return Page(items=tuple(Job.of(item) for item in page.items), next=page.next)
