"""A collector of spans on loopback, as far as OTLP over HTTP asks for one."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

Value = str | int | float | bool


@dataclass(frozen=True)
class Span:
    """A span as it came, ids in hexadecimal; `process` is whose it is."""

    process: str
    instance: str
    trace: str
    id: str
    parent: str
    name: str
    failed: bool
    facts: dict[str, Value]
    events: int


@dataclass
class Collector:
    """What came, and where it listens; `hangs` while it answers nobody."""

    url: str = ""
    hangs: Event = field(default_factory=Event)
    spans: list[Span] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def of_trace(self, trace: str) -> list[Span]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace == trace]

    def take(self, body: bytes) -> None:
        """Take what a process sends."""
        self.raw.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            whose = _facts(resource.resource.attributes)
            for scope in resource.scope_spans:
                self.spans += [
                    Span(
                        process=str(whose["service.name"]),
                        instance=str(whose["service.instance.id"]),
                        trace=span.trace_id.hex(),
                        id=span.span_id.hex(),
                        parent=span.parent_span_id.hex(),
                        name=span.name,
                        failed=span.status.code == span.status.STATUS_CODE_ERROR,
                        facts=_facts(span.attributes),
                        events=len(span.events),
                    )
                    for span in scope.spans
                ]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens until the block ends."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.hangs.is_set():
                self.close_connection = True
                return
            packed = self.headers.get("Content-Encoding") == "gzip"
            collector.take(gzip.decompress(body) if packed else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _facts(pairs: "list[KeyValue]") -> dict[str, Value]:
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in pairs}
