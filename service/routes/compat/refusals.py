"""Refusals as the old front ends read them: `{"error": sentence}`, with statuses that they know."""

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from jobs.errors import JobError
from service.errors import MethodNotAllowed
from service.problems import sentence, status_of
from service.routes.dialects.envelopes import telling
from service.witness import refused

AS_400 = (415, 422)
"""Statuses that came later: to an old front end, whatever is wrong with its request is one thing."""


def _told(error: JobError) -> Response:
    status = status_of(error)
    return JSONResponse({"success": False, "error": sentence(error)}, 400 if status in AS_400 else status)


class OldRoute(telling(_told)):  # type: ignore[misc]  # a class that is made is a class
    """A route that refuses in the old shape, other methods included."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().handle(scope, receive, send)
        except HTTPException as error:
            refusal = MethodNotAllowed("This path does not take this method.")
            refused(scope, refusal)
            told = _told(refusal)
            told.headers.update(error.headers or {})
            await told(scope, receive, send)
