"""A job as its reader sees it, as of one update; and what else the service tells of, typed.

Fields that the service adds later are left out, but stand in `Job.snapshot`.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter

from jobstream.client.fold import JsonObject, utf16_length

State = Literal[
    "scheduled",
    "queued",
    "running",
    "waiting",
    "retrying",
    "cancelling",
    "completed",
    "failed",
    "cancelled",
]
_OBJECT = TypeAdapter(JsonObject)
TERMINAL = frozenset({"completed", "failed", "cancelled"})


class View(BaseModel):
    """A part of what the service tells."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Failure(View):
    """Why a job or a part failed; `type` is a slug of the protocol's list."""

    type: str
    title: str
    detail: str
    retryable: bool = False


class Usage(View):
    """What an answer took: tokens, and US dollars where the price is known."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None


class Part(View):
    """A named partial result, such as one provider's answer so far; the times are seconds, known once it ended."""

    state: Literal["pending", "running", "completed", "failed", "cancelled"] = "pending"
    text: str = ""
    model: str | None = None
    attempt: int = 0
    result: Any = None
    error: Failure | None = None
    usage: Usage | None = None
    elapsed: float | None = None
    first_token: float | None = None
    length: int | None = None
    sha256: str | None = None

    @property
    def verified(self) -> bool | None:
        """Whether the text is the whole one that was written, by length and SHA-256; None before that is known."""
        return None if self.sha256 is None else is_proven(self.text, self.length, self.sha256)


class Step(View):
    """A named unit inside a job whose result is kept."""

    name: str
    state: Literal["running", "completed", "failed"]
    attempt: int
    started_at: AwareDatetime
    finished_at: AwareDatetime | None = None


class Progress(View):
    """How far the job is, as far as its kind says so."""

    percent: float | None = None
    message: str | None = None
    total: int | None = None
    processed: int | None = None
    inserted: int | None = None
    updated: int | None = None
    errors: int | None = None


class Job(View):
    """One job as of one update; `snapshot` is all of it, as JSON. In lists it has no parts, steps and result."""

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
    metadata: Mapping[str, str]
    created_at: AwareDatetime
    run_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    next_attempt_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    progress: Progress = Progress()
    parts: Mapping[str, Part] = {}
    steps: tuple[Step, ...] = ()
    result: Any = None
    error: Failure | None = None
    stream_token: str | None = Field(default=None, repr=False)
    snapshot: Mapping[str, Any] = Field(repr=False)

    @classmethod
    def of(cls, snapshot: JsonObject) -> Self:
        """The job that the snapshot describes."""
        return cls.model_validate(snapshot | {"snapshot": snapshot})

    @classmethod
    def read(cls, body: bytes) -> Self:
        """The job that the body, which is JSON, describes."""
        return cls.of(_OBJECT.validate_json(body))

    @property
    def ended(self) -> bool:
        """Whether its run is over; it may be retried by hand."""
        return self.state in TERMINAL


def is_proven(text: str, length: int | None, sha256: str) -> bool:
    """Whether the text is the one of this length, in UTF-16 code units, and with this digest of its UTF-8."""
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return (utf16_length(text), digest) == (length, sha256)
