"""What every request leaves for those who watch: a count, a time, and a span in the trace of whoever sent it."""

import time

from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Tracer, use_span
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jobs import traces
from service.witness import Witness

NO_ROUTE = "none"
ACCEPTED = 101

PROBES = ("/healthz", "/readyz", "/metrics")
"""Machines ask these every few seconds, and nobody reads of it in a trace."""


class Observed:
    """Wraps the application. A request is over for it when the head of its answer has left: what follows may be a
    stream of hours, and be sent by others."""

    def __init__(self, app: ASGIApp, *, witness: Witness, tracer: Tracer) -> None:
        self._app = app
        self._witness = witness
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        span = INVALID_SPAN if scope["path"] in PROBES else self._span(scope)

        async def send_and_note(message: Message) -> None:
            await send(message)
            if status := _status(message):
                self._witness.answered(_method(scope), _route(scope), status, time.monotonic() - began)
                _end(span, scope, status)

        try:
            with use_span(span, record_exception=False, set_status_on_exception=False):
                await self._app(scope, receive, send_and_note)
        finally:
            if span.is_recording():
                span.end()  # there was no answer: the client has gone

    def _span(self, scope: Scope) -> Span:
        place = traces.after(Headers(scope=scope).get("traceparent", ""))
        facts = {"http.request.method": _method(scope), "jobstream.request.id": str(scope["state"]["request_id"])}
        return self._tracer.start_span(_method(scope), place, SpanKind.SERVER, facts)


def _end(span: Span, scope: Scope, status: int) -> None:
    if not span.is_recording():
        return
    span.update_name(f"{_method(scope)} {_route(scope)}")
    span.set_attributes({"http.route": _route(scope), "http.response.status_code": status})
    if status >= 500:
        traces.fail(span, str(status))
    span.end()


def _status(message: Message) -> int:
    """The status with which an answer begins; 0 for what is no beginning."""
    if message["type"] in ("http.response.start", "websocket.http.response.start"):
        return int(message["status"])
    return ACCEPTED if message["type"] == "websocket.accept" else 0


def _method(scope: Scope) -> str:
    return str(scope.get("method", "WS"))


def _route(scope: Scope) -> str:
    """The template of the path, so that ids make no names of their own."""
    if route := scope.get("route"):
        return str(route.path)
    if scope.get("root_path"):
        return f"{scope['root_path']}/*"
    if "endpoint" not in scope:
        return NO_ROUTE
    names = {value: f"{{{name}}}" for name, value in scope["path_params"].items()}  # it is not FastAPI's route
    return "/".join(names.get(each, each) for each in scope["path"].split("/"))
