"""Is told of jobs that end: checks who says so, and prints it. The secret is JOBSTREAM_WEBHOOK_SECRET's."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jobstream.client import WebhookRefused, WebhookRepeated, verify_webhook

seen: set[str] = set()  # keep it where all your processes look, for as long as you remember what you did


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            told = verify_webhook(
                os.environ["JOBSTREAM_WEBHOOK_SECRET"].split(","), dict(self.headers), body, seen=seen
            )
            print(told["type"], told["data"]["links"]["self"], flush=True)
            self.send_response(204)
        except WebhookRefused as refused:
            self.send_response(200 if isinstance(refused, WebhookRepeated) else 400)
        self.end_headers()


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "9000"))), Receiver).serve_forever()
