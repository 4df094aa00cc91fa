"""What a client may say when it submits a job, checked whole before anything is written."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from jobs.errors import InvalidInput, UnknownKind, Violation
from jobs.kind import AnyKind
from jobs.model import JsonObject
from jobs.queue import Submission
from service.errors import InvalidRequest

LONGEST_DELAY = timedelta(days=366)
MOST_METADATA = 32

Small = Annotated[str, StringConstraints(max_length=512)]
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class SubmissionBody(BaseModel):
    """The body of `POST /v1/jobs`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Annotated[str, StringConstraints(max_length=64)]
    input: JsonObject
    idempotency_key: IdempotencyKey | None = None
    priority: Annotated[int, Field(ge=0, le=10, strict=True)] = 5
    run_at: AwareDatetime | None = None
    delay: Annotated[float, Field(ge=0, le=LONGEST_DELAY.total_seconds(), strict=True)] | None = None
    subject: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    metadata: Annotated[dict[Small, Small], Field(max_length=MOST_METADATA)] = {}


def read_submission(body: JsonObject) -> SubmissionBody:
    """The body as its type; InvalidInput names every field that is wrong."""
    try:
        submission = SubmissionBody.model_validate(body)
    except ValidationError as error:
        raise InvalidInput("The submission is not valid.", violations=violations(error)) from None
    if submission.run_at is not None:
        _check_time(submission, submission.run_at)
    return submission


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
        raise InvalidRequest("An Idempotency-Key has 1 to 256 characters.")
    return header


def submission_of(
    body: SubmissionBody, kind: AnyKind, *, subject: str | None, key: str | None, request_id: str
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
    )


def violations(error: ValidationError, *, within: str = "") -> tuple[Violation, ...]:
    """What is wrong and where, without a word of the input itself."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(Violation(within + _pointer(each["loc"]), each["msg"]) for each in found)


def _pointer(path: tuple[int | str, ...]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1")[:64] for step in path)


def _check_time(submission: SubmissionBody, run_at: datetime) -> None:
    if submission.delay is not None:
        wrong = Violation("/delay", "run_at and delay exclude each other")
    elif run_at > datetime.now(UTC) + LONGEST_DELAY:
        wrong = Violation("/run_at", "must be at most 366 days ahead")
    else:
        return
    raise InvalidInput("The submission is not valid.", violations=(wrong,))
