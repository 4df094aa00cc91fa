"""Streams over many jobs: server-sent events on one connection."""

from typing import Annotated

from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response

from jobs.errors import JobError, JobNotFound
from jobs.log import Head
from jobs.model import JobId
from jobs.updates import Cursor
from service import compound
from service.api import Api, ApiOf, RequestId
from service.auth import NO_SUCH_JOB, Access
from service.errors import InvalidRequest
from service.limits import guest_of
from service.routes.jobs import NOTHING_MORE, softened
from service.seats import Seated
from service.shapes import EventStream
from service.transports import multiplex
from service.view import WHOLE, Telling

router = APIRouter(prefix="/v1", tags=["streams"])


@router.get("/stream", response_class=EventStream, responses=NOTHING_MORE)
@router.head("/stream", include_in_schema=False)
async def stream(
    request: Request,
    api: ApiOf,
    request_id: RequestId,
    job: Annotated[list[str], Query()] = [],  # noqa: B006  # FastAPI copies it
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[str | None, Query()] = None,
) -> Response:
    """The updates of up to 32 jobs; one cursor resumes all of them."""
    try:
        return await opened(request, api, request_id, list(dict.fromkeys(job)), last_event_id or after, WHOLE)
    except JobError as error:
        return softened(error, request, request_id)


async def opened(
    request: Request, api: Api, request_id: str, wanted: list[str], word: str | None, telling: Telling
) -> Response:
    """The stream over the wanted jobs, from the word on."""
    accesses = api.auth.accesses(request)
    if not 1 <= len(wanted) <= compound.MOST_JOBS:
        raise InvalidRequest(f"Name 1 to {compound.MOST_JOBS} jobs.")
    marks = compound.read(word) if word else {}
    heads, refused = await _readable(api, accesses, wanted)
    if not heads:
        raise JobNotFound(NO_SUCH_JOB)
    places = {
        job_id: await _place(api, job_id, head, compound.mark_of(marks, job_id)) for job_id, head in heads.items()
    }
    ended = frozenset(job_id for job_id, head in heads.items() if head.ended_at(places[job_id]))
    if ended == heads.keys():
        api.witness.began("ended")
        return Response(status_code=204)  # also where others are refused, or a browser came back for ever
    seat = await api.limits.stream(guest_of(accesses[0], request), "multiplexed")
    bounds = api.bounds(accesses)
    return Seated(multiplex.stream_response(api.delivery, places, ended, bounds, refused, request_id, telling), seat)


async def _readable(
    api: Api, accesses: list[Access], wanted: list[str]
) -> tuple[dict[JobId, Head], dict[str, JobError]]:
    """The jobs that some credential reads, and why each of the others is refused."""
    heads: dict[JobId, Head] = {}
    refused: dict[str, JobError] = {}
    for name in wanted:
        try:
            job_id, head = await api.readable_by_any(name, accesses)
            heads[job_id] = head
        except JobNotFound as error:
            refused[name] = error
            api.witness.refused(error.code)
    return heads, refused


async def _place(api: Api, job_id: JobId, head: Head, mark: compound.Mark | None) -> Cursor | None:
    """Where the reader was in the job: None for a job it has not seen, or a cursor that no log holds, for a place
    that is gone; that one is answered with a `gap` snapshot."""
    if mark is None:
        return None
    if mark.fits(head.cursor):
        return head.cursor
    cursor = await api.log.place(job_id, mark.seq)
    return cursor if cursor is not None and mark.fits(cursor) else Cursor(0, mark.seq)
