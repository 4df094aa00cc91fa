"""Figures of everything: once, and as they change; and the end of a session."""

from starlette.requests import Request
from starlette.responses import Response

from jobs.errors import JobError
from jobs.model import JsonObject
from service.api import AccessOf, ApiOf, RequestId
from service.auth import OPERATOR_COOKIE
from service.limits import guest_of
from service.routes.jobs import softened
from service.routes.operator.acting import own_router
from service.seats import Seated
from service.transports import figures

router = own_router("")


@router.get("/figures")
async def now(api: ApiOf) -> JsonObject:
    """What the jobs do, who works on them, and how the store is."""
    return await api.desk.lookout.look()


@router.get("/stream")
@router.head("/stream")
async def stream(request: Request, api: ApiOf, access: AccessOf, request_id: RequestId) -> Response:
    """The same as server-sent events, at once and then whenever something has changed."""
    try:
        api.desk.lookout.check_room()
        seat = await api.limits.stream(guest_of(access, request), "sse")
    except JobError as error:
        return softened(error, request, request_id)
    return Seated(figures.stream_response(api.desk.lookout.watch(api.bounds([access]))), seat)


@router.post("/sign-out", status_code=204)
async def sign_out() -> Response:
    """The browser forgets the operator's cookie."""
    response = Response(status_code=204)
    response.delete_cookie(OPERATOR_COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return response
