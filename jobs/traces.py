"""Where a trace stands, as W3C writes it in `traceparent`: what a request or job hands to whatever goes on for it."""

from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracer, Span, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

UNTRACED: Tracer = NoOpTracer()
"""Records nothing; the place that it was given is the one that goes on."""

_FIELD = "traceparent"
_W3C = TraceContextTextMapPropagator()


def here() -> str:
    """The place of the span that is open now; empty where there is none."""
    held: dict[str, str] = {}
    _W3C.inject(held)
    return held.get(_FIELD, "")


def after(place: str) -> Context:
    """Where a span begins that goes on from that place; from one that cannot be read, a trace begins."""
    return _W3C.extract({_FIELD: place}, Context())


def fail(span: Span, code: str) -> None:
    """Say that it came to nothing, by a code alone: a message may hold what was asked, or answered."""
    span.set_status(Status(StatusCode.ERROR, code))
    span.set_attribute("error.type", code)
