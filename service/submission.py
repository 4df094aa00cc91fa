"""What a client may say when it submits a job, checked whole before anything is written."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Annotated, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from jobs.errors import InvalidInput, UnknownKind, Violation
from jobs.kind import AnyKind
from jobs.model import JsonObject
from jobs.queue import Room, Submission
from service.errors import InvalidRequest

LONGEST_DELAY = timedelta(days=366)
MOST_METADATA = 32
LONGEST_NAME = 64

Small = Annotated[str, StringConstraints(max_length=512)]
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Priority = Annotated[int, Field(ge=0, le=10, strict=True)]
Delay = Annotated[float, Field(ge=0, le=LONGEST_DELAY.total_seconds(), strict=True)]
Subject = Annotated[str, StringConstraints(min_length=1, max_length=128)]

Body = TypeVar("Body", bound=BaseModel)


class WebhookBody(BaseModel):
    """Who is to be told of the job's end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str


class SubmissionBody(BaseModel):
    """The body of `POST /v1/jobs`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, StringConstraints(max_length=64)]
    input: JsonObject
    idempotency_key: IdempotencyKey | None = None
    priority: Priority = 5
    run_at: AwareDatetime | None = None
    delay: Delay | None = None
    subject: Subject | None = None
    metadata: Annotated[dict[Small, Small], Field(max_length=MOST_METADATA)] = {}
    webhook: WebhookBody | None = None


def read_submission(body: JsonObject) -> SubmissionBody:
    """The body as its type; InvalidInput names every field that is wrong."""
    submission = valid(SubmissionBody, body, "The submission is not valid.")
    _check_time(submission.run_at, submission.delay)
    return submission


class RetryBody(BaseModel):
    """The body of a retry by hand; empty: from the last kept step."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parts: Annotated[list[Annotated[str, StringConstraints(max_length=64)]], Field(min_length=1)] | None = None
    from_: Annotated[Literal["start"] | None, Field(alias="from")] = None


class EventBody(BaseModel):
    """The body of `POST /v1/events`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]
    data: JsonObject = {}
    idempotency_key: IdempotencyKey | None = None
    priority: Priority = 5
    run_at: AwareDatetime | None = None
    delay: Delay | None = None
    subject: Subject | None = None


def read_retry(body: JsonObject) -> RetryBody:
    """The body as its type; InvalidInput names every field that is wrong, InvalidRequest a contradiction."""
    wanted = valid(RetryBody, body, "The retry is not valid.")
    if wanted.parts and wanted.from_:
        raise InvalidRequest("Parts are run again by themselves, or the job from the start: not both.")
    return wanted


def read_event(body: JsonObject) -> EventBody:
    """The body as its type; InvalidInput names every field that is wrong."""
    event = valid(EventBody, body, "The event is not valid.")
    _check_time(event.run_at, event.delay)
    return event


def kind_of(submission: SubmissionBody, kinds: Mapping[str, AnyKind]) -> AnyKind:
    """The kind that the submission names."""
    if (kind := kinds.get(submission.kind)) is None:
        raise UnknownKind("No kind has this name; GET /v1/kinds lists them.")
    return kind


def checked_input(submission: SubmissionBody, kind: AnyKind) -> JsonObject:
    """The input as the kind reads it; InvalidInput names every field that is wrong."""
    try:
        checked = kind.input.model_validate(submission.input)
    except ValidationError as error:
        raise InvalidInput(
            f"The input does not fit {kind.name}.", violations=violations(error, within="/input")
        ) from None
    kept: JsonObject = checked.model_dump(mode="json", exclude_unset=True, by_alias=True)
    return kept


def idempotency_key(header: str | None, body: str | None) -> str | None:
    """The key, whichever way it came; both ways only if they agree."""
    if header is None:
        return body
    if body is not None and body != header:
        raise InvalidRequest("Idempotency-Key and idempotency_key differ; send one of them.")
    if not 1 <= len(header) <= 256:
        wrong = Violation("/idempotency_key", "must have 1 to 256 characters")
        raise InvalidInput("The Idempotency-Key is not valid.", violations=(wrong,))
    return header


def submission_of(
    body: SubmissionBody, kind: AnyKind, *, subject: str | None, key: str | None, request_id: str, room: Room
) -> Submission:
    """What the queue takes."""
    return Submission(
        kind=kind,
        input=checked_input(body, kind),
        subject=subject,
        idempotency_key=key,
        priority=body.priority,
        run_at=body.run_at,
        delay=body.delay or 0.0,
        metadata=body.metadata,
        request_id=request_id,
        room=room,
    )


def violations(error: ValidationError, *, within: str = "") -> tuple[Violation, ...]:
    """What is wrong and where, without a word of the input itself."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(Violation(within + _pointer(each["loc"]), each["msg"]) for each in found)


def _pointer(path: tuple[int | str, ...]) -> str:
    """The place as RFC 6901 has it; of what has a name too long to repeat, the place that holds it."""
    steps = takewhile(lambda step: step != "[key]" and len(step) <= LONGEST_NAME, map(str, path))
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def valid(model: type[Body], body: JsonObject, sentence: str) -> Body:
    """The body as its type; InvalidInput, which begins with the sentence, names every field that is wrong."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise InvalidInput(sentence, violations=violations(error)) from None


def _check_time(run_at: datetime | None, delay: float | None) -> None:
    if run_at is None:
        return
    if delay is not None:
        wrong = Violation("/delay", "run_at and delay exclude each other")
    elif run_at > datetime.now(UTC) + LONGEST_DELAY:
        wrong = Violation("/run_at", "must be at most 366 days ahead")
    else:
        return
    raise InvalidInput("The time is not valid.", violations=(wrong,))
