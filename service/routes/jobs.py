"""Jobs: submit, poll, watch, cancel, and a fresh token to watch with."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from jobs.errors import JobError
from jobs.index import Listed
from jobs.kind import MEBIBYTE
from jobs.model import JsonObject, Snapshot, State
from jobs.updates import Cursor
from service.api import AccessOf, Api, ApiOf, GuestOf, RequestId, access_in_url, api_of, request_id_of
from service.auth import READ
from service.body import described, read_optional_json, too_large
from service.credentials import Token
from service.form import described_too, read_sent
from service.intake import take
from service.limits import guest_of
from service.prefer import wait_seconds, wants_status
from service.problems import passing
from service.seats import Seated
from service.shapes import EventStream, Submitted, Summaries, Updates
from service.submission import (
    RetryBody,
    SubmissionBody,
    idempotency_key,
    kind_of,
    read_retry,
    read_submission,
)
from service.transports import polling, sse
from service.witness import listening, refused

LONGEST_SUBMIT_WAIT_SECONDS = 120

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

NOTHING_MORE: dict[int | str, dict[str, Any]] = {204: {"description": "Nothing can follow the cursor"}}

Prefer = Annotated[list[str] | None, Header()]


@router.post(
    "",
    status_code=202,
    response_model=Submitted,
    responses={
        200: {"model": Submitted, "description": "An earlier job with this key"},
        201: {"model": Submitted, "description": "The job, which ended while it was waited for"},
    },
    openapi_extra=described_too(SubmissionBody),
)
async def submit(
    request: Request,
    api: ApiOf,
    access: AccessOf,
    guest: GuestOf,
    request_id: RequestId,
    key: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
    prefer: Prefer = None,
) -> Response:
    """Submit a job: 202 with its snapshot and a stream token; 200 for a repeat; 201 if it ended while waited for."""
    room = await api.limits.submission(guest)
    sent, sent_bytes = await read_sent(request, limit=_largest_body(api))
    body = read_submission(sent)
    kind = kind_of(body, api.kinds)
    if sent_bytes > kind.body_limit:
        raise too_large(kind.body_limit)
    known = idempotency_key(key, body.idempotency_key)
    submitted = await take(api, access, body, key=known, request_id=request_id, room=room)
    wait = wait_seconds(prefer, most=LONGEST_SUBMIT_WAIT_SECONDS)
    if wait is not None:
        with listening(api.witness, "long-poll"):
            await polling.until_ended(api.follow(submitted.job_id, None, access), wait)
    story = await api.log.story(submitted.job_id)
    status = 200 if not submitted.new else 201 if wait is not None and story.state.terminal else 202
    token = api.stream_token(submitted.job_id, kind.name).token
    response = polling.snapshot_response(story, status=status, extra={"stream_token": token})
    response.headers["Location"] = f"/v1/jobs/{submitted.job_id}"
    if not submitted.new:
        response.headers["Idempotent-Replayed"] = "true"
    return _applied(response, wait)


@router.get("", responses={200: {"model": Summaries}})
async def listed(
    api: ApiOf,
    access: AccessOf,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    state: Annotated[State | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
) -> JsonObject:
    """The newest jobs that the caller may read, without their parts, steps and results."""
    subject = access.own_subject(READ)
    found = await api.jobs_of(subject).page(limit=limit, after=cursor, fits=of(kind, state))
    items = [item for job in found if (item := await api.summary(job.job_id))]
    return {"items": items, "next": found[-1].cursor if len(found) == limit else None}


@router.get("/{job_id}", response_model=Snapshot, responses={304: {"description": "Nothing has changed"}})
async def poll(
    job_id: str,
    api: ApiOf,
    access: AccessOf,
    guest: GuestOf,
    prefer: Prefer = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """The job as it is now; held back while nothing changes if `Prefer: wait` asks for that."""
    known_id, head = await api.readable(job_id, access)
    await api.limits.poll(guest, known_id)
    wait = wait_seconds(prefer, most=polling.LONGEST_WAIT_SECONDS)
    if wait is not None and polling.is_current(if_none_match, head.cursor) and not head.state.terminal:
        with listening(api.witness, "long-poll"):
            await polling.until_changed(api.follow(known_id, head.cursor, access), wait)
    story = await api.feed.library.newest(known_id)
    unchanged = polling.is_current(if_none_match, story.cursor)
    response = polling.unchanged_response(story) if unchanged else polling.snapshot_response(story)
    return _applied(response, wait)


@router.get("/{job_id}/stream", response_class=EventStream, responses=NOTHING_MORE)
@router.head("/{job_id}/stream", include_in_schema=False)
async def stream(
    request: Request,
    job_id: str,  # noqa: ARG001  # as the two below, named for the document
    last_event_id: Annotated[str | None, Header()] = None,  # noqa: ARG001
    after: Annotated[str | None, Query()] = None,  # noqa: ARG001
) -> Response:
    """The job's updates as server-sent events, from the cursor on, until the end of its run."""
    return await open_stream(request)


async def open_stream(request: Request) -> Response:
    """The same, without what FastAPI does for a route: a crowd that comes back waits a fifth less."""
    request_id = await request_id_of(request)
    place = request.headers.get("last-event-id") or request.query_params.get("after")
    try:
        return await _stream(request, request.path_params["job_id"], await api_of(request), request_id, place)
    except JobError as error:
        return softened(error, request, request_id)


@router.get("/{job_id}/updates", responses={200: {"model": Updates}})
async def updates(
    job_id: str,
    api: ApiOf,
    access: AccessOf,
    guest: GuestOf,
    after: Annotated[str | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    prefer: Prefer = None,
) -> Response:
    """The log as JSON, from the cursor on; held back while nothing follows if `Prefer: wait` asks for that."""
    place = Cursor.parse(after) if after else None
    known_id, head = await api.readable(job_id, access)
    await api.limits.poll(guest, known_id)
    wait = wait_seconds(prefer, most=polling.LONGEST_WAIT_SECONDS)
    if wait is not None and place == head.cursor and not head.state.terminal:
        with listening(api.witness, "long-poll"):
            await polling.until_changed(api.follow(known_id, place, access), wait)
    page = await api.log.page(known_id, place, most=limit)
    return _applied(polling.page_response(page), wait)


@router.post(
    "/{job_id}/cancel",
    status_code=202,
    response_model=Snapshot,
    responses={200: {"model": Snapshot, "description": "It had ended, or was asked before"}},
)
async def cancel(job_id: str, api: ApiOf, access: AccessOf) -> Response:
    """Ask for the end of the job: 202, or 200 where it has ended or was asked before."""
    known_id, _ = await api.cancellable(job_id, access)
    changed = await api.queue.cancel(known_id)
    return polling.snapshot_response(await api.log.story(known_id), status=202 if changed else 200)


@router.post(
    "/{job_id}/retry",
    status_code=202,
    response_model=Snapshot,
    openapi_extra=described(RetryBody, required=False),
)
async def retry(request: Request, job_id: str, api: ApiOf, access: AccessOf, guest: GuestOf) -> Response:
    """Start the job's next run: the answer's cursor is where to follow it from."""
    known_id, _ = await api.startable(job_id, access)
    room = await api.limits.submission(guest)
    wanted = read_retry(await read_optional_json(request, limit=MEBIBYTE))
    parts = frozenset(wanted.parts or ())
    await api.queue.retry(known_id, parts=parts, from_start=wanted.from_ == "start", room=room)
    return polling.snapshot_response(await api.log.story(known_id), status=202)


@router.delete("/{job_id}", status_code=204)
async def forget(job_id: str, api: ApiOf, access: AccessOf) -> Response:
    """Delete an ended job and all its data."""
    known_id, _ = await api.cancellable(job_id, access)
    await api.queue.forget(known_id)
    return Response(status_code=204)


@router.post("/{job_id}/token", status_code=201, responses={201: {"model": Token}})
async def token(job_id: str, api: ApiOf, access: AccessOf) -> Response:
    """A fresh stream token for whoever may read the job."""
    known_id, head = await api.readable(job_id, access)
    fresh = api.stream_token(known_id, head.kind)
    return Response(orjson.dumps(asdict(fresh)), 201, media_type="application/json")


async def _stream(request: Request, job_id: str, api: Api, request_id: str, place: str | None) -> Response:
    access = access_in_url(request)
    after = Cursor.parse(place) if place else None
    known_id, head = await api.readable(job_id, access)
    if head.ended_at(after):
        api.witness.began("ended")
        return Response(status_code=204)
    seat = await api.limits.stream(guest_of(access, request), "sse")
    told = sse.stream_response(api.delivery, known_id, after, api.bounds([access]), request_id)
    return Seated(told, seat)


def softened(error: JobError, request: Request, request_id: str) -> Response:
    """A passing refusal as EventSource can bear it: any status but 200 ends it for good."""
    if (
        not passing(error)
        or request.headers.get("accept") != "text/event-stream"
        or wants_status(request.headers.getlist("prefer"))
    ):
        raise error
    refused(request.scope, error)
    return sse.refusal_response(error, request_id)


def of(kind: str | None, state: State | None) -> Callable[[Listed], bool]:
    """Whether a job is of that kind and in that state; None is any."""
    return lambda job: kind in (None, job.kind) and state in (None, job.state)


def _largest_body(api: Api) -> int:
    return max(kind.body_limit for kind in api.kinds.values())


def _applied(response: Response, wait: int | None) -> Response:
    if wait is not None:
        response.headers["Preference-Applied"] = f"wait={wait}"
    return response
