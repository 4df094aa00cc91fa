"""Every request that a client makes, as a value: what is sent, and how the answer is read."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from jobstream.client.fold import JsonObject
from jobstream.client.job import Job
from jobstream.client.replies import DeadLetter, ErrorCount, EventStory, Kind, Page, Sent, Token

URGENT = 10

Result = TypeVar("Result")
Params = Mapping[str, str | int]


@dataclass(frozen=True)
class Call(Generic[Result]):
    """One request; `repeatable` if sending it twice comes to the same as sending it once."""

    method: str
    path: str
    read: Callable[[bytes], Result]
    repeatable: bool = True
    params: Params = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject | None = None
    held_seconds: float = 0.0
    """How long the service may hold the answer because it was asked to."""


def submit(
    kind: str,
    input: Mapping[str, Any],  # noqa: A002  # the protocol's word
    *,
    idempotency_key: str | None = None,
    priority: int | None = None,
    run_at: datetime | None = None,
    delay: timedelta | float | None = None,
    subject: str | None = None,
    metadata: Mapping[str, str] | None = None,
    wait: int | None = None,
) -> Call[Job]:
    """The job that was accepted, with its `stream_token`; with `wait` (seconds) held back until it has ended.

    It is sent again where the reply is lost, always with the same key, so that exactly one job comes of it."""
    body = _given(
        kind=kind,
        input=input,
        idempotency_key=idempotency_key or secrets.token_urlsafe(24),
        priority=priority,
        run_at=_moment(run_at),
        delay=_seconds(delay),
        subject=subject,
        metadata=metadata,
    )
    headers = {} if wait is None else {"Prefer": f"wait={wait}"}
    return Call("POST", "/v1/jobs", _job, body=body, headers=headers, held_seconds=wait or 0)


def get(job_id: str) -> Call[Job]:
    """The job as it is now."""
    return Call("GET", path_of(job_id), _job)


def cancel(job_id: str) -> Call[Job]:
    """The job, asked to end; asking again, or after its end, changes nothing."""
    return Call("POST", f"{path_of(job_id)}/cancel", _job)


def retry(job_id: str, *, parts: list[str] | None = None, from_start: bool = False) -> Call[Job]:
    """The job at the beginning of its next run: watch what is returned, and no update is missed.

    It goes on from its last kept step; `parts` run again by themselves, `from_start` forgets what was kept."""
    body = _given(parts=parts, **{"from": "start" if from_start else None})
    return Call("POST", f"{path_of(job_id)}/retry", _job, repeatable=False, body=body)


def delete(job_id: str) -> Call[None]:
    """Nothing: the job, which has ended, and all its data are gone."""
    return Call("DELETE", path_of(job_id), _nothing, repeatable=False)


def jobs(
    *, kind: str | None = None, state: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[Page[Job]]:
    """The newest jobs, without their parts, steps and results; `cursor` is the page before's `next`."""
    return Call("GET", "/v1/jobs", _jobs, params=_given(kind=kind, state=state, limit=limit, cursor=cursor))


def kinds() -> Call[tuple[Kind, ...]]:
    """The kinds of job that the service knows."""
    return Call("GET", "/v1/kinds", lambda body: _reader(Page[Kind])(body).items)


def send_event(
    name: str,
    data: Mapping[str, Any],
    *,
    priority: int | None = None,
    delay: timedelta | float | None = None,
    run_at: datetime | None = None,
    idempotency_key: str | None = None,
    subject: str | None = None,
) -> Call[Sent]:
    """The jobs that the event started; it is sent again where the reply is lost, and starts them once."""
    body = _given(
        name=name,
        data=data,
        priority=priority,
        delay=_seconds(delay),
        run_at=_moment(run_at),
        idempotency_key=idempotency_key or secrets.token_urlsafe(24),
        subject=subject,
    )
    return Call("POST", "/v1/events", _reader(Sent), body=body)


def send_urgent_event(
    name: str, data: Mapping[str, Any], *, idempotency_key: str | None = None, subject: str | None = None
) -> Call[Sent]:
    """An event whose jobs go before all others."""
    return send_event(name, data, priority=URGENT, idempotency_key=idempotency_key, subject=subject)


def send_delayed_event(
    name: str,
    data: Mapping[str, Any],
    delay: timedelta | float,
    *,
    priority: int | None = None,
    idempotency_key: str | None = None,
    subject: str | None = None,
) -> Call[Sent]:
    """An event whose jobs begin after the delay (in seconds, if it is a number)."""
    return send_event(name, data, delay=delay, priority=priority, idempotency_key=idempotency_key, subject=subject)


def send_scheduled_event(
    name: str,
    data: Mapping[str, Any],
    run_at: datetime,
    *,
    priority: int | None = None,
    idempotency_key: str | None = None,
    subject: str | None = None,
) -> Call[Sent]:
    """An event whose jobs begin at that moment, which names its time zone."""
    return send_event(name, data, run_at=run_at, priority=priority, idempotency_key=idempotency_key, subject=subject)


def find_event(event_id: str) -> Call[EventStory]:
    """What became of the event, for a week."""
    return Call("GET", f"/v1/events/{quote(event_id, safe='')}", _reader(EventStory))


def dead_letters(*, kind: str | None = None, limit: int | None = None, cursor: str | None = None) -> Call[Page[Job]]:
    """The newest jobs that failed for good."""
    return Call("GET", "/v1/dead-letters", _jobs, params=_given(kind=kind, limit=limit, cursor=cursor))


def dead_letter_groups(*, kind: str | None = None) -> Call[tuple[ErrorCount, ...]]:
    """How many dead letters there are of each kind and error type, most first."""
    params = _given(kind=kind, group="error")
    return Call("GET", "/v1/dead-letters", lambda body: _reader(Page[ErrorCount])(body).items, params=params)


def inspect_dead_letter(job_id: str) -> Call[DeadLetter]:
    """One dead letter whole: what it was given, and how each attempt failed."""
    return Call("GET", _letter(job_id), lambda body: DeadLetter.of(_json(body)))


def retry_dead_letter(job_id: str) -> Call[Job]:
    """The job at the beginning of its next run, from its last kept step."""
    return Call("POST", f"{_letter(job_id)}/retry", _job, repeatable=False)


def delete_dead_letter(job_id: str) -> Call[None]:
    """Nothing: the dead letter is gone, and with it the job."""
    return Call("DELETE", _letter(job_id), _nothing, repeatable=False)


def mint_token(subject: str, scopes: list[str], *, ttl: int | None = None) -> Call[Token]:
    """A token for a page of the subject, which may do what the scopes name, for `ttl` seconds."""
    body = _given(subject=subject, scopes=scopes, ttl=ttl)
    return Call("POST", "/v1/tokens", _reader(Token), body=body)


def stream_token(job_id: str) -> Call[Token]:
    """A fresh token that reads this one job."""
    return Call("POST", f"{path_of(job_id)}/token", _reader(Token))


def path_of(job_id: str) -> str:
    """Where the job is."""
    return f"/v1/jobs/{quote(job_id, safe='')}"


def _letter(job_id: str) -> str:
    return f"/v1/dead-letters/{quote(job_id, safe='')}"


def _given(**fields: Any) -> JsonObject:
    """The fields that have a value; the service knows what the others mean."""
    return {name: value for name, value in fields.items() if value is not None}


def _moment(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _seconds(delay: timedelta | float | None) -> float | None:
    return delay.total_seconds() if isinstance(delay, timedelta) else delay


def _reader(form: type[Result]) -> Callable[[bytes], Result]:
    return TypeAdapter(form).validate_json


def _json(body: bytes) -> JsonObject:
    return TypeAdapter(JsonObject).validate_json(body)


def _job(body: bytes) -> Job:
    return Job.of(_json(body))


def _jobs(body: bytes) -> Page[Job]:
    page = _reader(Page[JsonObject])(body)
    return Page(items=tuple(Job.of(item) for item in page.items), next=page.next)


def _nothing(_body: bytes) -> None:
    return None
