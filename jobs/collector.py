"""Spans on their way to a collector, by the SDK of OpenTelemetry: in batches, from a thread, and never waited for."""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Tracer

FLUSH_SECONDS = 2.0
"""How long a process that ends waits for the collector to take what is left."""

log = structlog.get_logger(__name__)


@contextmanager
def open_tracer(
    environment: Mapping[str, str], *, service: str, most: int, lost: Callable[[int], object]
) -> Iterator[Tracer]:
    """A tracer whose spans, `most` at once, go to the collector that the environment names."""
    os.environ.update(environment)  # it is where the SDK looks
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a collector that is away is told of once, by us
    waiting = _Waiting(_Told(OTLPSpanExporter(), lost), most=most, lost=lost)
    provider = TracerProvider(resource=_resource(environment, service), shutdown_on_exit=False)
    provider.add_span_processor(waiting)
    try:
        yield provider.get_tracer("jobstream", version("jobstream"))
    finally:
        closing = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)
        if waiting.left:
            log.warning("spans were left behind", spans=waiting.left)


def _resource(environment: Mapping[str, str], service: str) -> Resource:
    """Who tells: as the operator names it, else as it is called here."""
    told = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    named = "OTEL_SERVICE_NAME" in environment or f"{SERVICE_NAME}=" in told
    own = {} if named else {SERVICE_NAME: service}
    return Resource.create({**own, SERVICE_VERSION: version("jobstream")})


class _Told(SpanExporter):
    """The exporter, whose failures are counted, and said when they begin and end."""

    def __init__(self, exporter: SpanExporter, lost: Callable[[int], object]) -> None:
        self.taken = 0
        self._exporter = exporter
        self._lost = lost
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += len(spans)
        result = self._exporter.export(spans)
        away = result is not SpanExportResult.SUCCESS
        if away:
            self._lost(len(spans))
        if away != self._away:
            self._away = away
            log.warning("the collector takes no spans" if away else "the collector takes spans again")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


class _Waiting(BatchSpanProcessor):
    """The spans that wait for their batch; where there are too many, the oldest goes, and is counted."""

    def __init__(self, exporter: _Told, *, most: int, lost: Callable[[int], object]) -> None:
        super().__init__(exporter, max_queue_size=most)
        self._told = exporter
        self._most = most
        self._lost = lost
        self._put = 0

    @property
    def left(self) -> int:
        """How many wait."""
        return self._put - self._told.taken

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if self.left >= self._most:
            self._lost(1)
        else:
            self._put += 1
        super().on_end(span)
