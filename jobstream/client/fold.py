"""A job folded from its updates: after each, what polling would have returned.

Snapshots stay JSON here, so that what a newer service adds to them is kept.
"""

from typing import Any

JsonObject = dict[str, Any]


class UpdateMissed(Exception):
    """The update does not follow what is held; a snapshot makes up for it."""


def fold(job: JsonObject, event: str, data: JsonObject, cursor: str) -> JsonObject:
    """The job after the update, the one before it left as it was. An unknown update changes nothing but the place.

    UpdateMissed where the update does not go on from this job."""
    if event == "snapshot":
        return _without(data, "reason")
    if not job:
        raise UpdateMissed(f"The stream began with {event}, not with a snapshot.")
    return job | _changes(job, event, data) | {"seq": job["seq"] + 1, "cursor": cursor}


def utf16_length(text: str) -> int:
    """How long the text is to JavaScript, in whose units the protocol counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _changes(job: JsonObject, event: str, data: JsonObject) -> JsonObject:
    match event:
        case "state":
            return _state(job, data)
        case "progress":
            return {"progress": job["progress"] | data}
        case "step":
            return {"steps": _with_step(job["steps"], data)}
        case "part":
            return {"parts": _with_parts(job["parts"], {data["part"]: _without(data, "part")})}
        case "delta":
            return {"parts": _with_parts(job["parts"], {data["part"]: {"text": _longer(job, data)}})}
        case "end":
            return _end(job, data)
    return {}


def _state(job: JsonObject, data: JsonObject) -> JsonObject:
    changes = _without(data, "reason", "from")
    if data["run"] != job["run"]:
        changes |= {"result": None, "finished_at": None, "expires_at": None, "progress": {}}
        if data.get("from") == "start":
            changes |= {"steps": [], "parts": {}}
    return changes


def _longer(job: JsonObject, data: JsonObject) -> str:
    text: str = job["parts"][data["part"]]["text"]
    if (length := utf16_length(text)) != data["at"]:
        raise UpdateMissed(f"{data['part']} has {length} characters of text where {data['at']} were sent.")
    return text + str(data["text"])


def _end(job: JsonObject, data: JsonObject) -> JsonObject:
    steps = [step | {"state": "failed"} if step["state"] == "running" else step for step in job["steps"]]
    return data | {"next_attempt_at": None, "steps": steps, "parts": _with_parts(job["parts"], data["parts"])}


def _with_step(steps: list[JsonObject], step: JsonObject) -> list[JsonObject]:
    if any(known["name"] == step["name"] for known in steps):
        return [step if known["name"] == step["name"] else known for known in steps]
    return [*steps, step]


def _with_parts(parts: JsonObject, changes: JsonObject) -> JsonObject:
    return parts | {name: parts.get(name, {}) | change for name, change in changes.items()}


def _without(data: JsonObject, *names: str) -> JsonObject:
    return {name: value for name, value in data.items() if name not in names}
