"""Everybody's jobs: found, looked at, cancelled and run again; what they hold is shown where that is asked for."""

from typing import Annotated

import orjson
from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from jobs.kind import MEBIBYTE
from jobs.model import JobId, JsonObject, State
from service.api import Api, ApiOf, checked_id
from service.body import read_optional_json
from service.routes.jobs import of
from service.routes.operator.acting import ClerkOf, own_router
from service.submission import read_retry
from service.view import shown_without_contents

router = own_router("/jobs")


@router.get("")
async def listed(
    api: ApiOf,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    state: Annotated[State | None, Query()] = None,
    subject: Annotated[str | None, Query(max_length=128)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
) -> JsonObject:
    """The newest jobs, each with the type of the error that it failed with."""
    found = await api.jobs_of(subject).page(limit=limit, after=cursor, fits=of(kind, state))
    items = [
        item | {"error_type": job.error_type or None} for job in found if (item := await api.summary(job.job_id))
    ]
    return {"items": items, "next": found[-1].cursor if len(found) == limit else None}


@router.get("/{job_id}")
async def whole(job_id: str, api: ApiOf) -> JsonObject:
    """The job, how it came to be so, and nothing of what it holds."""
    snapshot = (await api.log.story(checked_id(job_id))).snapshot
    history = await api.desk.attempts.history(snapshot)
    deliveries = [each.shown for each in await api.desk.webhooks.of_job(JobId(snapshot["id"]))]
    return {"job": shown_without_contents(snapshot), "steps": snapshot["steps"], "deliveries": deliveries, **history}


@router.get("/{job_id}/contents")
async def contents(job_id: str, api: ApiOf, clerk: ClerkOf) -> JsonObject:
    """What the job was given, said and made; that it was looked at is noted."""
    story = await api.log.story(checked_id(job_id))
    snapshot = story.snapshot
    known_id = JobId(snapshot["id"])
    await clerk.note("read contents", known_id)
    return {
        "input": await api.queue.input_of(known_id, subject=story.subject),
        "result": snapshot["result"],
        "parts": {name: part["text"] for name, part in snapshot["parts"].items()},
    }


@router.post("/{job_id}/cancel", status_code=202)
async def cancel(job_id: str, api: ApiOf, clerk: ClerkOf) -> Response:
    """Ask for the end of the job: 202, or 200 where it has ended or was asked before."""
    known_id = await _known(api, job_id)
    await clerk.note("cancel job", known_id)
    changed = await api.queue.cancel(known_id)
    return await _shown(api, known_id, status=202 if changed else 200)


@router.post("/{job_id}/retry", status_code=202)
async def retry(request: Request, job_id: str, api: ApiOf, clerk: ClerkOf) -> Response:
    """Start the job's next run."""
    known_id = await _known(api, job_id)
    wanted = read_retry(await read_optional_json(request, limit=MEBIBYTE))
    await clerk.note("retry job", known_id)
    room = await api.limits.submission(None)
    parts = frozenset(wanted.parts or ())
    await api.queue.retry(known_id, parts=parts, from_start=wanted.from_ == "start", room=room)
    return await _shown(api, known_id, status=202)


async def _known(api: Api, job_id: str) -> JobId:
    """The job's id; JobNotFound where there is none."""
    known_id = checked_id(job_id)
    await api.log.head(known_id)
    return known_id


async def _shown(api: Api, job_id: JobId, *, status: int) -> Response:
    shown = shown_without_contents((await api.log.story(job_id)).snapshot)
    return Response(orjson.dumps(shown), status, media_type="application/json")
