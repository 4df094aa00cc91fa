"""A job in the words of the old front ends: one status of a few, a phrase for progress, results by provider."""

from dataclasses import dataclass
from typing import Any

from jobs.model import JsonObject, State
from jobs.snapshot import elapsed

STARTING = "Starting analysis..."
PROCESSING = "Processing..."
CANCELLED = "The job was cancelled."

GOOGLE = "google"
"""The metadata of a job that say how its asker calls Google."""


@dataclass(frozen=True)
class Words:
    """How a path calls a job that waits for its first worker, and one that goes on."""

    waiting: str
    working: str

    def of(self, state: State) -> str:
        """The status of a job in this state; a cancelled one reads failed."""
        match state:
            case State.COMPLETED:
                return "completed"
            case State.FAILED | State.CANCELLED:
                return "failed"
            case State.SCHEDULED | State.QUEUED:
                return self.waiting
        return self.working


def error_of(snapshot: JsonObject) -> str | None:
    """Why the job failed, None for one that has not: what a try met that is followed by another is no failure yet."""
    match snapshot["state"]:
        case State.CANCELLED:
            return CANCELLED
        case State.FAILED:
            return str(snapshot["error"]["detail"])
    return None


def progress_of(snapshot: JsonObject) -> str | None:
    """What the job does, and for how many seconds; None once it has ended."""
    if State(snapshot["state"]).terminal:
        return None
    seconds = elapsed(snapshot)
    message = snapshot["progress"].get("message")
    if seconds is None or (message == STARTING and seconds < 1):
        return STARTING
    doing, _, more = (message or PROCESSING).partition("...")
    return f"{doing}... {int(seconds)}s{more}"


def result_of(snapshot: JsonObject) -> Any:
    """The job's result; a chat's by provider, as its own path has it."""
    if snapshot["kind"] == "chat" and snapshot["result"] is not None:
        return results_of(snapshot)
    return snapshot["result"]


def results_of(snapshot: JsonObject) -> JsonObject:
    """What each provider of a chat has said, once it has said all, under the name that the asker has for it."""
    called = {"google": snapshot["metadata"].get(GOOGLE, "google")}
    ended = {name: part for name, part in snapshot["parts"].items() if part["state"] not in ("pending", "running")}
    return {called.get(name, name): _result(part) for name, part in ended.items()}


def _result(part: JsonObject) -> JsonObject:
    told = {name: part[name] for name in ("text", "model", "usage", "elapsed")}
    if part["state"] == "completed":
        return {"ok": True, **told}
    return {"ok": False, **told, "error": part["error"]["detail"] if part["error"] else CANCELLED}
