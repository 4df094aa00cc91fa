"""What every request passes: its id, the headers that every answer bears, and one line in the log."""

import re
import secrets
import time
from functools import partial

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.headers import EVERY_ANSWER, OVER_TLS, UNLESS_GIVEN
from service.wire import wire_of

_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")

log = structlog.get_logger("access")


class Door:
    """Wraps the application; a plain ASGI callable, so that streams pass untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        began = time.monotonic()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), request_id, secure=scope["scheme"] in ("https", "wss"))
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_headers)
            finally:
                # The path alone: a query may hold a token.
                facts = {"method": scope.get("method", "WS"), "path": scope["path"], "status": status}
                wire_of(scope).when_over(partial(_note, began, request_id=request_id, **facts))


def _note(began: float, **facts: str | int) -> None:
    log.info("request", **facts, seconds=round(time.monotonic() - began, 4))


def _add_headers(headers: MutableHeaders, request_id: str, *, secure: bool) -> None:
    headers["X-Request-ID"] = request_id
    headers.update(EVERY_ANSWER | (OVER_TLS if secure else {}))
    for name, value in UNLESS_GIVEN.items():
        headers.setdefault(name, value)


def _request_id(given: str | None) -> str:
    return given if given and _REQUEST_ID.fullmatch(given) else secrets.token_urlsafe(12)
