"""Subjects: forget all that belongs to one."""

from typing import Annotated

from fastapi import APIRouter, Path

from jobs.model import JsonObject
from service.api import AccessOf, ApiOf
from service.shapes import Forgotten

router = APIRouter(prefix="/v1/subjects", tags=["subjects"])


@router.delete("/{subject:path}", status_code=202, responses={202: {"model": Forgotten}})
async def forget(
    subject: Annotated[str, Path(min_length=1, max_length=128)], api: ApiOf, access: AccessOf
) -> JsonObject:
    """Cancel and delete all that belongs to the subject; `left` of its jobs went on, and are deleted once they have
    ended."""
    access.check_service()
    left = await api.queue.forget_subject(subject)
    await api.sessions.forget_subject(subject)
    await api.conversations.forget_subject(subject)  # after its jobs, whose workers keep nothing more of them
    return {"left": left}
