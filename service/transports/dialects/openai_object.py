"""OpenAI's response object, as the Responses API has it: a job's snapshot in its words."""

from dataclasses import dataclass

from jobs.clock import MICROSECONDS, to_microseconds
from jobs.model import TERMINAL, JsonObject

STATUS = {
    "scheduled": "queued",
    "queued": "queued",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""Of every other state it is `in_progress`."""


@dataclass(frozen=True)
class Asked:
    """What a response repeats of its request."""

    model: str
    instructions: str | None = None
    max_output_tokens: int | None = None


def response(job: JsonObject, asked: Asked) -> JsonObject:
    """The response as it is now."""
    drafts = [(name, part) for name, part in job["parts"].items() if part["attempt"]]
    output = [message(item_id(job, name, part["attempt"]), part["text"], _status_of(part)) for name, part in drafts]
    status = STATUS.get(job["state"], "in_progress")
    return {**shell(job, asked, status), "output": output, "usage": _usage(job), "error": _error(job)}


def shell(job: JsonObject, asked: Asked, status: str) -> JsonObject:
    """The response without what its run has brought so far."""
    return {
        "id": job["id"],
        "object": "response",
        "created_at": to_microseconds(job["created_at"]) // MICROSECONDS,
        "status": status,
        "background": True,
        "error": None,
        "incomplete_details": None,
        "instructions": asked.instructions,
        "max_output_tokens": asked.max_output_tokens,
        "metadata": job["metadata"],
        "model": _model(job, asked),
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": True,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "none",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
    }


def _model(job: JsonObject, asked: Asked) -> str:
    """The model that answers, once that is known."""
    return next((f"{name}/{part['model']}" for name, part in job["parts"].items() if part["model"]), asked.model)


def message(name: str, text: str, status: str) -> JsonObject:
    """An item of the output: a message that says the text."""
    return {"id": name, "type": "message", "role": "assistant", "status": status, "content": [text_part(text)]}


def _status_of(part: JsonObject) -> str:
    return {"completed": "completed", "running": "in_progress"}.get(part["state"], "incomplete")


def text_part(text: str) -> JsonObject:
    """The only content of a message."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def item_id(job: JsonObject, part: str, attempt: int) -> str:
    """Names one try of one part, wherever it is told."""
    return f"msg_{job['id']}_{part}_{attempt}"


def _usage(job: JsonObject) -> JsonObject | None:
    counted = [part["usage"] for part in job["parts"].values() if part["usage"]]
    if not counted or job["state"] not in TERMINAL:
        return None
    read, written = (sum(each[name] for each in counted) for name in ("input_tokens", "output_tokens"))
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }


def _error(job: JsonObject) -> JsonObject | None:
    if job["state"] != "failed" or job["error"] is None:
        return None
    return {"code": "server_error", "message": job["error"]["detail"], "type": job["error"]["type"]}
