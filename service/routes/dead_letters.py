"""Dead letters: list them, count them by error, inspect one, run it again, drop it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from jobs.errors import JobNotFound
from jobs.log import Head
from jobs.model import JsonObject, Snapshot, State
from service.api import AccessOf, ApiOf, GuestOf
from service.auth import NO_SUCH_JOB, READ
from service.shapes import Counts, DeadLetter, Summaries
from service.transports import polling

router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])


@router.get("", responses={200: {"model": Summaries | Counts}})
async def listed(
    api: ApiOf,
    access: AccessOf,
    kind: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=128)] = None,
    group: Annotated[Literal["error"] | None, Query()] = None,
) -> JsonObject:
    """The newest dead letters, or how many there are of each kind and error type."""
    subject = access.own_subject(READ)
    if group is not None:
        return {"items": await api.dead_letters.groups(kind=kind, subject=subject)}
    letters = await api.dead_letters.page(limit=limit, after=cursor, kind=kind, subject=subject)
    items = [item for letter in letters if (item := await api.summary(letter.job_id))]
    return {"items": items, "next": letters[-1].cursor if len(letters) == limit else None}


@router.get("/{job_id}", response_model=DeadLetter)
async def inspect(job_id: str, api: ApiOf, access: AccessOf) -> Response:
    """A dead letter whole: its snapshot, what it was given, and how each attempt failed."""
    access.own_subject(READ)  # a stream token shows what the job says, and not what it was given
    known_id, head = await api.readable(job_id, access)
    _check_dead(head)
    found = await api.dead_letters.inspect(known_id)
    return polling.snapshot_response(await api.log.story(known_id), status=200, extra=found)


@router.post("/{job_id}/retry", status_code=202, response_model=Snapshot)
async def retry(job_id: str, api: ApiOf, access: AccessOf, guest: GuestOf) -> Response:
    """Run a dead letter again, from its last kept step."""
    known_id, head = await api.startable(job_id, access)
    _check_dead(head)
    await api.queue.retry(known_id, room=await api.limits.submission(guest))
    return polling.snapshot_response(await api.log.story(known_id), status=202)


@router.delete("/{job_id}", status_code=204)
async def drop(job_id: str, api: ApiOf, access: AccessOf) -> Response:
    """Delete a dead letter, and with it the job."""
    known_id, head = await api.cancellable(job_id, access)
    _check_dead(head)
    await api.queue.forget(known_id)
    return Response(status_code=204)


def _check_dead(head: Head) -> None:
    if head.state is not State.FAILED:
        raise JobNotFound(NO_SUCH_JOB)
