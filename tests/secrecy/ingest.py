"""A Sentry of the tests' own, on loopback: it takes envelopes, and keeps what was in them."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "canary-of-the-sentry-key"


class Ingest:
    """Where it is, and what it was sent."""

    def __init__(self) -> None:
        self.envelopes: list[str] = []
        self.dsn = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        """The reports in the envelopes."""
        items = [json.loads(line) for text in self.envelopes for line in text.splitlines() if line.startswith("{")]
        return [item for item in items if "level" in item]


@contextmanager
def running_ingest() -> Iterator[Ingest]:
    """One that answers until the block ends."""
    ingest = Ingest()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server asks for it by this name
            body = self.rfile.read(int(self.headers["content-length"]))
            sent = gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body
            ingest.envelopes.append(sent.decode())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        ingest.dsn = f"http://{KEY}@127.0.0.1:{server.server_port}/1"
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield ingest
        finally:
            server.shutdown()
            serving.join()
