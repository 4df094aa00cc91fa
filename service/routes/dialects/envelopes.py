"""Refusals in the words of a dialect: the status and its headers stay, the body is the dialect's own."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from jobs.errors import InvalidInput, JobError, Violation
from service.problems import problem_response
from service.witness import refused

KEPT = ("cache-control", "retry-after", "www-authenticate")

Envelope = Callable[[JobError], Response]


def telling(envelope: Envelope) -> type[APIRoute]:
    """Routes that tell their refusals in this envelope."""

    class Telling(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_and_tell(request: Request) -> Response:
                try:
                    return await handle(request)
                except JobError as error:
                    refused(request.scope, error)
                    return _kept(envelope(error), error)
                except RequestValidationError as error:
                    invalid = _invalid(error)
                    refused(request.scope, invalid)
                    return envelope(invalid)

            return handle_and_tell

    return Telling


def _kept(response: Response, error: JobError) -> Response:
    plain = problem_response(error, "")
    response.headers.update({name: plain.headers[name] for name in KEPT if name in plain.headers})
    return response


def _invalid(error: RequestValidationError) -> InvalidInput:
    found = tuple(Violation("/" + "/".join(map(str, each["loc"])), each["msg"]) for each in error.errors())
    return InvalidInput("A parameter is not valid.", violations=found)
