"""What a job is: its states and which may follow which, its parts and steps, and the snapshot that clients see."""

import re
import secrets
from dataclasses import fields
from enum import StrEnum
from typing import Annotated, Any, Literal, NewType, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue

JobId = NewType("JobId", str)
JsonObject = dict[str, Any]
Known = TypeVar("Known")

JOB_ID_PATTERN = r"^[A-Za-z0-9_-]{16,64}$"
CLIENT_ID_PATTERN = r"^[A-Za-z0-9._:-]{1,128}$"
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,63}$"


def is_client_id(text: str) -> bool:
    """Whether a client may have chosen it as the id of something."""
    return re.fullmatch(CLIENT_ID_PATTERN, text) is not None


def new_job_id() -> JobId:
    """An id that nobody can guess: 192 random bits."""
    return JobId(secrets.token_urlsafe(24))


def known(value: type[Known], held: JsonObject) -> Known:
    """The dataclass with what is held of its fields; what a newer version wrote beside them is left out."""
    return value(**{field.name: held[field.name] for field in fields(value) if field.name in held})  # type: ignore[arg-type]


class State(StrEnum):
    """Where a job stands; the last three are terminal."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    RETRYING = "retrying"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        return self in TERMINAL


TERMINAL = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})

FOLLOWERS: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.QUEUED, State.RUNNING, State.CANCELLED}),
    State.QUEUED: frozenset({State.RUNNING, State.FAILED, State.CANCELLED}),
    State.RUNNING: frozenset({State.RUNNING, State.QUEUED, State.WAITING, State.RETRYING, State.CANCELLING})
    | TERMINAL,
    State.WAITING: frozenset({State.RUNNING, State.CANCELLED, State.FAILED}),
    State.RETRYING: frozenset({State.RUNNING, State.CANCELLED, State.FAILED}),
    State.CANCELLING: TERMINAL,
    State.COMPLETED: frozenset({State.QUEUED}),
    State.FAILED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
}
"""Which state may follow which; a terminal one is left only by a retry by hand, as a new run."""

PartState = Literal["pending", "running", "completed", "failed", "cancelled"]
StepState = Literal["running", "completed", "failed"]
Reason = Literal["initial", "gap", "slow"]


class Value(BaseModel):
    """A value that cannot change and cannot hold what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def whole(text: str) -> str:
    """The text with split surrogate pairs joined and lone surrogates replaced, so that it can be UTF-8."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Failure(Value):
    """Why a job or a part failed; `type` is a slug of the protocol's error list."""

    type: str
    title: str
    detail: Annotated[str, AfterValidator(whole)]
    retryable: bool


POISON = Failure(
    type="poison",
    title="The job kills its workers",
    detail="Three workers in a row died with this job before anything more of it was kept.",
    retryable=False,
)
"""Why the store itself ends a job."""


class Step(Value):
    """A named unit inside a job whose result is kept."""

    name: str
    state: StepState
    attempt: int
    started_at: str
    finished_at: str | None


class Part(Value):
    """A named partial result; `length` is in UTF-16 code units, `sha256` of the UTF-8, both once it ended."""

    state: PartState
    text: str
    model: str | None
    attempt: int
    result: JsonValue
    error: Failure | None
    usage: JsonObject | None
    elapsed: float | None
    first_token: float | None
    length: int | None
    sha256: str | None


UNSET_PART: JsonObject = {
    "state": "pending",
    "text": "",
    "model": None,
    "attempt": 0,
    "result": None,
    "error": None,
    "usage": None,
    "elapsed": None,
    "first_token": None,
    "length": None,
    "sha256": None,
}
"""Every field of a part before it begins."""


class Summary(Value):
    """A job as a list shows it. Times are RFC 3339 UTC, durations seconds."""

    id: str
    kind: str
    state: State
    run: int
    seq: int
    cursor: str
    attempt: int
    max_attempts: int
    priority: int
    subject: str | None
    metadata: dict[str, str]
    created_at: str
    run_at: str | None
    started_at: str | None
    finished_at: str | None
    next_attempt_at: str | None
    expires_at: str | None
    elapsed: float | None
    progress: JsonObject
    error: Failure | None
    links: dict[str, str]


class Snapshot(Summary):
    """The whole job as of one update: what polling returns."""

    parts: dict[str, Part]
    steps: list[Step]
    result: JsonValue
