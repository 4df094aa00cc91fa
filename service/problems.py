"""The one place that knows what an error is in HTTP: its status, and its RFC 9457 body."""

import math
from http import HTTPStatus

import orjson
from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from jobs.errors import InvalidInput, JobError
from jobs.model import JsonObject
from service.headers import EVERY_ANSWER, UNLESS_GIVEN

MEDIA_TYPE = "application/problem+json"

STATUS: dict[str, int] = {
    "invalid-json": 400,
    "invalid-cursor": 400,
    "invalid-request": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "origin-not-allowed": 403,
    "job-not-found": 404,
    "not-found": 404,
    "method-not-allowed": 405,
    "not-terminal": 409,
    "already-completed": 409,
    "request-timeout": 408,
    "payload-too-large": 413,
    "unsupported-media-type": 415,
    "invalid-input": 422,
    "unknown-kind": 422,
    "image-rejected": 422,
    "url-not-allowed": 422,
    "idempotency-key-reused": 422,
    "headers-too-large": 431,
    "rate-limited": 429,
    "too-many-jobs": 429,
    "too-many-streams": 429,
    "server-misconfigured": 500,
    "internal-error": 500,
    "integrity-error": 500,
    "queue-full": 503,
    "too-many-connections": 503,
    "store-unavailable": 503,
    "storage-full": 503,
}

_TRANSIENT = frozenset({429, 503})


def status_of(error: JobError) -> int:
    """The HTTP status that the error is told with."""
    return STATUS.get(error.code, 500)


def problem(error: JobError, request_id: str) -> JsonObject:
    """The error as RFC 9457 has it; `instance` is the request's id."""
    body: JsonObject = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": status_of(error),
        "detail": error.detail,
        "instance": request_id,
    }
    if isinstance(error, InvalidInput) and error.violations:
        body["errors"] = [{"pointer": each.pointer, "detail": each.detail} for each in error.violations]
    return body


def sentence(error: JobError) -> str:
    """The error in one line, for clients that show it as it is; of an input, every field that is wrong."""
    found = error.violations if isinstance(error, InvalidInput) else ()
    return " ".join([error.detail, *(f"{each.pointer}: {each.detail}." for each in found)])


def problem_response(error: JobError, request_id: str) -> Response:
    """The whole response for an error."""
    status = status_of(error)
    response = Response(orjson.dumps(problem(error, request_id)), status, media_type=MEDIA_TYPE)
    _add_hints(response.headers, status, error)
    return response


def passing(error: JobError) -> bool:
    """Whether the same request may well be taken a little later."""
    return status_of(error) in _TRANSIENT


def _add_hints(headers: MutableHeaders, status: int, error: JobError) -> None:
    headers["Cache-Control"] = "no-store"
    if status in _TRANSIENT:
        headers["Retry-After"] = str(math.ceil(error.wait_seconds))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"


def problem_message(error: JobError) -> bytes:
    """A whole HTTP message for an error of a request that never became one; the connection ends with it."""
    body = orjson.dumps(problem(error, ""))
    status = HTTPStatus(status_of(error))
    headers = {
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **({"Retry-After": str(math.ceil(error.wait_seconds))} if passing(error) else {}),
        **EVERY_ANSWER,
        **UNLESS_GIVEN,
    }
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body
