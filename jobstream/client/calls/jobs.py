"""Calls that begin, read and end jobs, and the kinds that there are."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from jobstream.client.call import Call, given, nothing, place
from jobstream.client.job import Job
from jobstream.client.replies import Kind, Page, Updates, read_jobs


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
    webhook: str | None = None,
    wait: int | None = None,
) -> Call[Job]:
    """The job that was accepted, with its `stream_token`; with `wait` (seconds) held back until it has ended.

    `webhook` is a URL that is told of its end.

    It is sent again where the reply is lost, always with the same key, so that exactly one job comes of it."""
    body = given(
        kind=kind,
        input=input,
        idempotency_key=idempotency_key or secrets.token_urlsafe(24),
        priority=priority,
        run_at=run_at,
        delay=delay,
        subject=subject,
        metadata=metadata,
        webhook=None if webhook is None else {"url": webhook},
    )
    headers = {} if wait is None else {"Prefer": f"wait={wait}"}
    return Call("POST", place("jobs"), Job.read, body=body, headers=headers, held_seconds=wait or 0)


def get(job_id: str) -> Call[Job]:
    """The job as it is now."""
    return Call("GET", place("jobs", job_id), Job.read)


def cancel(job_id: str) -> Call[Job]:
    """The job, asked to end; asking again, or after its end, changes nothing."""
    return Call("POST", place("jobs", job_id, "cancel"), Job.read)


def retry(job_id: str, *, parts: list[str] | None = None, from_start: bool = False) -> Call[Job]:
    """The job at the beginning of its next run: watch what is returned, and no update is missed.

    It goes on from its last kept step; `parts` run again by themselves, `from_start` forgets what was kept."""
    body = given(parts=parts, **{"from": "start" if from_start else None})
    return Call("POST", place("jobs", job_id, "retry"), Job.read, repeatable=False, body=body)


def delete(job_id: str) -> Call[None]:
    """Nothing: the job, which has ended, and all its data are gone."""
    return Call("DELETE", place("jobs", job_id), nothing, repeatable=False)


def page(
    *, kind: str | None = None, state: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[Page[Job]]:
    """The newest jobs, without their parts, steps and results; `cursor` is the page before's `next`."""
    return Call("GET", place("jobs"), read_jobs, params=given(kind=kind, state=state, limit=limit, cursor=cursor))


def updates(job_id: str, *, after: str | None = None, limit: int | None = None) -> Call[Updates]:
    """Some of the job's log, from behind a cursor, or from the oldest entry that is kept."""
    place_of = place("jobs", job_id, "updates")
    return Call("GET", place_of, Updates.model_validate_json, params=given(after=after, limit=limit))


def kinds() -> Call[tuple[Kind, ...]]:
    """The kinds of job that the service knows."""
    return Call("GET", place("kinds"), lambda body: Page[Kind].model_validate_json(body).items)
