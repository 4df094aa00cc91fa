"""Which pages may call: the rule for pages of other origins, and what CORS tells their browsers."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import OriginNotAllowed
from service.problems import problem_response
from service.witness import refused

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
EXPOSED = "ETag, Location, Retry-After, Preference-Applied, Idempotent-Replayed, X-Request-ID"

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, X-Request-ID, "
        "X-Requested-With"
    ),
    "Access-Control-Max-Age": "600",
    "Vary": "Access-Control-Request-Method, Access-Control-Request-Headers",
}


class Origins:
    """Wraps the application: pages of other origins act and listen only if theirs is on the list.

    No answer allows credentials: cookies count for this host's own pages alone."""

    def __init__(self, app: ASGIApp, *, allowed: frozenset[str]) -> None:
        self._app = app
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        allowed = origin if origin in self._allowed and len(headers.getlist("origin")) == 1 else None

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                _describe(MutableHeaders(scope=message), allowed)
            await send(message)

        await self._answering(scope, headers, allowed=allowed is not None)(scope, receive, send_with_cors)

    def _answering(self, scope: Scope, headers: Headers, *, allowed: bool) -> ASGIApp:
        if _is_preflight(scope, headers):
            return Response(status_code=204, headers=PREFLIGHT) if allowed else _refusal(scope)
        if not allowed and _acts_or_listens(scope, headers) and _from_elsewhere(headers):
            return _refusal(scope)
        return self._app


def same_origin(headers: Headers) -> bool:
    """Whether a page of this very host sent the request; False where its browser doesn't say."""
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    return _names_this_host(headers)


def _from_elsewhere(headers: Headers) -> bool:
    """Whether a page of another origin sent the request: servers and command lines send none of these headers."""
    origins = headers.getlist("origin")
    if "null" in origins or len(origins) > 1:
        return True
    site = headers.get("sec-fetch-site", "none")
    if site != "none":
        return site != "same-origin"
    return bool(origins) and not _names_this_host(headers)


def _names_this_host(headers: Headers) -> bool:
    scheme, _, host = headers.get("origin", "").partition("://")
    return scheme in ("http", "https") and host == headers.get("host")


def _acts_or_listens(scope: Scope, headers: Headers) -> bool:
    """Whether the request could do more than show a page of ours, or data that no other page can read."""
    if scope["type"] == "websocket" or scope["method"] not in SAFE:
        return True
    return scope["path"].endswith("/stream") or "text/event-stream" in headers.get("accept", "")


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "OPTIONS"
        and "origin" in headers
        and "access-control-request-method" in headers
    )


def _describe(headers: MutableHeaders, allowed: str | None) -> None:
    headers.add_vary_header("Origin")
    if allowed is not None:
        headers["Access-Control-Allow-Origin"] = allowed
        headers["Access-Control-Expose-Headers"] = EXPOSED


def _refusal(scope: Scope) -> Response:
    error = OriginNotAllowed("Pages of this origin may not do this; JOBSTREAM_ORIGINS names those that may.")
    refused(scope, error)
    return problem_response(error, str(scope["state"]["request_id"]))
