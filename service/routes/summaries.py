"""The paths by which older programs ask for a summary; how it goes is told by its job."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from jobs.model import JobId
from jobs.summaries import Order
from service.api import AccessOf, ApiOf, GuestOf, RequestId
from service.routes import sessions, trees
from service.routes.compat.refusals import OldRoute
from service.routes.conversations import SubjectOf

router = APIRouter(prefix="/api/summarize", route_class=OldRoute, include_in_schema=False)


@router.post("/session/{session_id}")
async def session(
    session_id: str, api: ApiOf, access: AccessOf, guest: GuestOf, request_id: RequestId, subject: SubjectOf = None
) -> Response:
    """Summarise the session if it is stale."""
    owner, known = access.owner(sessions.WRITES, subject), sessions.checked_session(session_id)
    room = await api.limits.submission(guest)
    found = await api.sessions.session(owner, known)
    return _accepted(await api.summaries.of_session(found, Order(owner, request_id, room)))


@router.post("/tree/{tree_id}")
async def tree(
    tree_id: str, api: ApiOf, access: AccessOf, guest: GuestOf, request_id: RequestId, subject: SubjectOf = None
) -> Response:
    """Summarise the tree if anything of it is stale."""
    owner, known = access.owner(trees.WRITES, subject), trees.checked_tree(tree_id)
    room = await api.limits.submission(guest)
    found = await api.sessions.tree(owner, known)
    return _accepted(await api.summaries.of_tree(found, Order(owner, request_id, room)))


def _accepted(job_id: JobId | None) -> Response:
    """The old answer; the job is beside it, if one was needed."""
    headers = {"Location": f"/v1/jobs/{job_id}"} if job_id else None
    return JSONResponse({"accepted": True}, 202, headers)
