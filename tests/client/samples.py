"""A job as the service would tell of it, and frames of its stream, for wires that say what a test wrote down."""

import hashlib
import json
from typing import Any

from jobstream.client.fold import JsonObject

MOMENT = "2026-11-21T22:33:05.123Z"
END: JsonObject = {
    "state": "completed",
    "result": {"ok": True},
    "error": None,
    "finished_at": MOMENT,
    "expires_at": MOMENT,
    "parts": {},
}
NOT_FOUND = {"type": "/problems/job-not-found", "title": "No such job", "status": 404, "detail": "It is gone."}
BUSY = {"type": "/problems/too-many-streams", "title": "Too many", "status": 429, "detail": "Come back later."}
DENIED = {"type": "/problems/unauthorized", "title": "Unauthorized", "status": 401, "detail": "It has expired."}


def a_job(**changes: Any) -> JsonObject:
    """A snapshot: the job runs, and its part `p` says `one`."""
    return {
        "id": "a-job",
        "kind": "chat",
        "state": "running",
        "run": 1,
        "seq": 1,
        "cursor": "1-1",
        "attempt": 1,
        "max_attempts": 1,
        "priority": 5,
        "subject": None,
        "metadata": {},
        "created_at": MOMENT,
        "run_at": None,
        "started_at": MOMENT,
        "finished_at": None,
        "next_attempt_at": None,
        "expires_at": None,
        "elapsed": 0.1,
        "progress": {},
        "parts": {"p": {"state": "running", "text": "one"}},
        "steps": [],
        "result": None,
        "error": None,
        "links": {},
        **changes,
    }


def frame(event: str, data: object, cursor: str = "") -> str:
    """One event of a stream."""
    place = f"id: {cursor}\n" if cursor else ""
    return f"{place}event: {event}\ndata: {json.dumps(data)}"


def words(text: str, *, at: int, cursor: str) -> str:
    """More of the part's text."""
    return frame("delta", {"part": "p", "text": text, "at": at}, cursor)


def finished(text: str, *, cursor: str) -> str:
    """The part's end, with the proof of this text."""
    proof = {"length": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return frame("part", {"part": "p", "state": "completed", **proof}, cursor)


SNAPSHOT = frame("snapshot", {**a_job(), "reason": "initial"}, "1-1")
ENDED = frame("end", END, "9-9")
PONG = frame("ping", {"cursor": "1-1", "now": MOMENT})
