"""What OpenAI's two APIs have in common: the key and the shape of an error."""

from starlette.requests import Request

from sandbox.wire import Json

_TYPES = {401: "invalid_request_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {401: "invalid_api_key", 429: "rate_limit_exceeded", 500: "server_error"}


def admits(request: Request) -> bool:
    """Whether the request carries a bearer key."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(key.strip())


def refusal(status: int, message: str) -> Json:
    """The body of an error."""
    kind = _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
    return {"error": {"message": message, "type": kind, "param": None, "code": _CODES.get(status)}}
