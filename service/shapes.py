"""What answers look like that are more or less than a snapshot: for the documents, since routes write their JSON."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue
from starlette.responses import Response

from jobs.model import Failure, JsonObject, Snapshot, State, Summary


class EventStream(Response):
    """Server-sent events, for the document of the routes that answer with them."""

    media_type = "text/event-stream"


class RecordLines(Response):
    """NDJSON, for the route that answers with it."""

    media_type = "application/x-ndjson"


class Reject(BaseModel):
    """A record that was set aside: as it was, or the text where no record could be read from it."""

    record: JsonValue
    line: int
    reason: str
    file: str


class PlainText(Response):
    """Text, for the document of the routes that answer with it."""

    media_type = "text/plain"


class Submitted(Snapshot):
    """The job, and a token that reads it alone."""

    stream_token: str


class Summaries(BaseModel):
    """A page of a list; `next` is the cursor of the next one, null at the end."""

    items: list[Summary]
    next: str | None


class Count(BaseModel):
    """How many dead letters there are of one kind and error type."""

    kind: str
    error_type: str
    count: int


class Counts(BaseModel):
    """Dead letters by kind and error type, the most frequent first."""

    items: list[Count]


class PastFailure(BaseModel):
    """How one attempt failed."""

    run: int
    attempt: int
    at: str
    outcome: Literal["retrying", "worker-lost", "failed"]
    error: Failure | None


class DeadLetter(Snapshot):
    """A dead letter whole."""

    input: JsonValue
    failures: list[PastFailure]


class LoggedUpdate(BaseModel):
    """One update of a log; `data` as the AsyncAPI document has it for the event."""

    id: str
    event: str
    data: JsonObject


class Updates(BaseModel):
    """A page of a log. `reset`: the place that was asked for isn't held; `closed`: nothing follows `cursor`."""

    items: list[LoggedUpdate]
    cursor: str
    reset: bool
    closed: bool


class EventTaken(BaseModel):
    """The event's id, and the jobs that it started; none where no kind takes its data."""

    event_id: str
    job_ids: list[str]


class EventJob(BaseModel):
    """A job that an event started."""

    id: str
    kind: str
    state: State


class EventTold(BaseModel):
    """What became of an event."""

    id: str
    name: str
    received_at: str
    dropped: bool
    jobs: list[EventJob]


class MessageTold(BaseModel):
    """What somebody said, and when if that was told."""

    role: str
    content: str
    at: str | None = None


class SessionTold(BaseModel):
    """A session and its summary. `content_hash` is the SHA-256 of what it holds, `summary_hash` of what was
    summarised; `stale`: they differ."""

    id: str
    messages: list[MessageTold]
    tree_id: str | None
    content_hash: str
    summary: str | None
    summary_hash: str | None
    last_summarized_at: str | None
    stale: bool


class TreeTold(BaseModel):
    """A tree and its summary; the hashes as a session has them, `stale_session_ids` the sessions that come first."""

    id: str
    session_ids: list[str]
    content_hash: str
    high_level_summary: str | None
    high_level_summary_hash: str | None
    last_summarized_at: str | None
    stale: bool
    stale_session_ids: list[str]


class Preflight(BaseModel):
    """What of a tree was stale, and the job that summarises it, null where nothing was."""

    stale: bool
    stale_session_ids: list[str]
    job_id: str | None


class Forgotten(BaseModel):
    """How many jobs of the subject had to be cancelled first, and are deleted once they have ended."""

    left: int


class ConversationItem(BaseModel):
    """A conversation at a glance."""

    id: str
    updated_at: str


class ConversationsTold(BaseModel):
    """A page of conversations, the latest first; `next` is the cursor of the next one, null at the end."""

    items: list[ConversationItem]
    next: str | None


class TurnTold(BaseModel):
    """What somebody said, in which job, and when that was submitted."""

    role: Literal["user", "assistant"]
    content: str
    job_id: str
    at: str


class ConversationTold(BaseModel):
    """What each provider has heard and said, oldest first; without another turn it is kept until `expires_at`."""

    id: str
    expires_at: str
    turns: dict[str, list[TurnTold]]


class KindTold(BaseModel):
    """A kind of job; `input` is the JSON Schema of its input, sizes are bytes, times seconds."""

    name: str
    summary: str
    input: JsonObject
    body_limit: int
    timeout: float | None
    max_attempts: int
    retention: int
    failed_retention: int


class Kinds(BaseModel):
    """Every kind of job."""

    items: list[KindTold]


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"]


class Ready(BaseModel):
    """Whether the process can serve; `workers` that live, null where nobody knows."""

    status: Literal["ok", "unavailable"]
    store: Literal["ok", "unreachable"]
    workers: int | None


class ProblemDetail(BaseModel):
    """One thing wrong with an input; `pointer` is a JSON Pointer (RFC 6901)."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """Why a request was refused (RFC 9457); `instance` is the request's id."""

    type: str = Field(examples=["/problems/job-not-found"])
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemDetail] | None = None
