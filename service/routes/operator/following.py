"""Jobs as they move, without what they hold; and the log of one of them, of which each reading is noted."""

from typing import Annotated

from fastapi import Header, Query
from starlette.requests import Request
from starlette.responses import Response

from jobs.errors import JobError
from service.api import AccessOf, Api, ApiOf, RequestId, checked_id
from service.routes import jobs, streams
from service.routes.operator.acting import Clerk, ClerkOf, own_router
from service.view import BARE

router = own_router("/jobs")


@router.get("/stream")
@router.head("/stream")
async def moves(
    request: Request,
    api: ApiOf,
    request_id: RequestId,
    job: Annotated[list[str], Query()] = [],  # noqa: B006  # FastAPI copies it
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[str | None, Query()] = None,
) -> Response:
    """That jobs move, and what a list shows of it: the stream over many jobs without texts, results and digests."""
    wanted = list(dict.fromkeys(job))
    try:
        return await streams.opened(request, api, request_id, wanted, last_event_id or after, BARE)
    except JobError as error:
        return jobs.softened(error, request, request_id)


@router.get("/{job_id}/stream")
@router.head("/{job_id}/stream")
async def followed(request: Request, job_id: str, api: ApiOf, clerk: ClerkOf) -> Response:
    """The job's updates as any client gets them."""
    await _note(api, clerk, "follow log", job_id)
    return await jobs.open_stream(request)


@router.get("/{job_id}/updates")
async def read(
    job_id: str,
    api: ApiOf,
    access: AccessOf,
    clerk: ClerkOf,
    after: Annotated[str | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
) -> Response:
    """A page of the job's log."""
    await _note(api, clerk, "read log", job_id)
    return await jobs.updates(job_id, api, access, None, after, limit)


async def _note(api: Api, clerk: Clerk, act: str, job_id: str) -> None:
    """Note what is about to be read; JobNotFound where there is no such job."""
    known_id = checked_id(job_id)
    await api.log.head(known_id)
    await clerk.note(act, known_id)
