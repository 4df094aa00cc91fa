"""What becomes of a fault that nobody foresaw: an answer that tells nothing, and a line in the log that tells all."""

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs.errors import JobError
from service.problems import problem_response
from service.witness import refused

log = structlog.get_logger(__name__)


class Faults:
    """Wraps the application; an answer that has begun is cut off, since nothing else says that it is not whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            log.info("the client left before its request was read")
        except Exception as error:
            log.exception("request failed", error=type(error).__name__)
            if begun:
                raise
            told = JobError("The service met an unexpected fault.")
            refused(scope, told)
            await problem_response(told, str(scope["state"]["request_id"]))(scope, receive, send)
