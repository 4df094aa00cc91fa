"""Rejects: what a copy set aside, for whoever may read its job."""

from fastapi import APIRouter
from starlette.responses import Response

from service.api import AccessOf, ApiOf
from service.auth import READ
from service.shapes import RecordLines, Reject

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get("/{job_id}/rejects", response_class=RecordLines, responses={200: {"model": Reject}})
async def rejects(job_id: str, api: ApiOf, access: AccessOf) -> Response:
    """The records that the copy set aside, each with its line and the reason; the first thousand, as NDJSON."""
    access.own_subject(READ)  # a stream token shows what the job says, and not what it was given
    known_id, head = await api.readable(job_id, access)
    return RecordLines(await api.rejects.read(known_id, head.subject), headers={"Cache-Control": "no-store"})
