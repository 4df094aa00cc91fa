"""A job as this API shows it: the snapshot with its links and how long it has taken."""

from collections.abc import Callable
from dataclasses import dataclass

import orjson

from jobs.model import JobId, JsonObject, Reason
from jobs.snapshot import Story, elapsed
from jobs.updates import Entry, one_line


def links(job_id: JobId) -> dict[str, str]:
    """Where the job is read, watched and cancelled."""
    own = f"/v1/jobs/{job_id}"
    return {"self": own, "stream": f"{own}/stream", "ws": f"{own}/ws", "cancel": f"{own}/cancel"}


def shown(snapshot: JsonObject) -> JsonObject:
    """The whole snapshot of the protocol."""
    return snapshot | {"elapsed": elapsed(snapshot), "links": links(JobId(snapshot["id"]))}


def shown_without_contents(snapshot: JsonObject) -> JsonObject:
    """The same without what the job said and made, and without what would confirm a guess of it."""
    parts = {name: part | {"text": "", "result": None, "sha256": None} for name, part in snapshot["parts"].items()}
    return shown(snapshot) | {"parts": parts, "result": None}


def shown_with_reason(story: Story, reason: Reason) -> bytes:
    """The data of a stream's snapshot event, on one line; most of it is encoded once for all readers."""
    shared, own = shown_in_parts(story, reason)
    return b"".join((b"{", shared, own))


def shown_in_parts(story: Story, reason: Reason) -> tuple[memoryview, bytes]:
    """The same without its first brace: what all readers share, which may be long, and what is this one's own."""
    snapshot = story.before_end
    own = {"elapsed": elapsed(snapshot), "links": links(JobId(snapshot["id"])), "reason": reason}
    return memoryview(story.encoded)[1:-1], b"," + orjson.dumps(own)[1:]


_OF_AN_END = ("state", "error", "finished_at", "expires_at")


@dataclass(frozen=True)
class Telling:
    """How much a stream tells of a job: of its story, in the two parts of a snapshot event, and of each update."""

    story: Callable[[Story, Reason], tuple[memoryview, bytes]]
    body: Callable[[Entry], bytes]


def _bare_in_parts(story: Story, reason: Reason) -> tuple[memoryview, bytes]:
    bare = shown_without_contents(story.before_end) | {"reason": reason}
    return memoryview(one_line(orjson.dumps(bare)))[1:-1], b"}"


def _bare_body(entry: Entry) -> bytes:
    """Of an update that may bear contents, only that it came."""
    match entry.event:
        case "state" | "progress":
            return entry.body
        case "end":
            said = orjson.loads(entry.body)
            return one_line(orjson.dumps({name: said[name] for name in _OF_AN_END}))
    return b"{}"


WHOLE = Telling(shown_in_parts, lambda entry: entry.body)
BARE = Telling(_bare_in_parts, _bare_body)
"""As much as a list shows, and nothing of what the job was given, said and made."""
