"""Updates as a worker would write them, for tests that append without one."""

import hashlib

import orjson
from pydantic import JsonValue

from jobs.log import Line
from jobs.model import UNSET_PART, Failure, JsonObject
from jobs.updates import utf16_length

_MOMENT = "2026-11-21T22:33:05.123Z"


def progress(percent: int) -> Line:
    """The job is so far."""
    body = orjson.dumps({"percent": percent})
    return Line("progress", body, value=body)


def begun(part: str, *, attempt: int = 1) -> Line:
    """The part begins, with an empty text."""
    whole = _running(attempt)
    return Line("part", _body(part, whole), name=part, head="running", value=_stored(whole), write="=")


def wrote(part: str, text: str, *, at: int) -> Line:
    """The part's text grows."""
    body = orjson.dumps({"part": part, "text": text, "at": at})
    return Line("delta", body, name=part, write="+", text=text.encode())


def completed(part: str, text: str, *, attempt: int = 1) -> Line:
    """The part ends with this as its whole text."""
    length, digest = utf16_length(text), hashlib.sha256(text.encode()).hexdigest()
    changes = {"state": "completed", "length": length, "sha256": digest}
    whole = _running(attempt) | changes
    head = f"completed|{length}|{digest}"
    return Line(
        "part", _body(part, changes), name=part, head=head, value=_stored(whole), write="=", text=text.encode()
    )


def step(name: str, *, state: str = "running") -> Line:
    """The step begins or fails."""
    body = orjson.dumps({"name": name, "state": state, "attempt": 1, "started_at": _MOMENT, "finished_at": None})
    return Line("step", body, name=name, value=body)


def kept(name: str, result: JsonValue) -> Line:
    """The step completes, and its result is kept."""
    body = orjson.dumps(
        {"name": name, "state": "completed", "attempt": 1, "started_at": _MOMENT, "finished_at": _MOMENT}
    )
    return Line("step", body, name=name, value=body, write="=", text=orjson.dumps(result))


def end(state: str = "completed", *, result: JsonValue = None, failure: Failure | None = None) -> Line:
    """The run ends."""
    error = failure.model_dump_json().encode() if failure else b""
    slug, title = (failure.type, failure.title.encode()) if failure else ("", b"")
    return Line("end", body=title, name=slug, head=state, value=orjson.dumps(result), text=error)


def whole_story() -> list[list[Line]]:
    """The flushes of a job that shows every type of update: two parts that interleave, a step, progress, an end."""
    return [
        [step("read")],
        [kept("read", {"words": 2}), progress(10)],
        [begun("openai")],
        [begun("google"), wrote("openai", "naïve ", at=0)],
        [wrote("openai", "𝄞 music", at=6), wrote("google", "one", at=0)],
        [begun("google", attempt=2), progress(60)],
        [wrote("google", "two", at=0), completed("openai", "naïve 𝄞 music")],
        [step("answer"), kept("answer", "two")],
        [progress(90), end(result={"ok": True})],
    ]


def _running(attempt: int) -> JsonObject:
    return UNSET_PART | {"state": "running", "attempt": attempt}


def _body(part: str, changes: JsonObject) -> bytes:
    return orjson.dumps({"part": part, **changes})


def _stored(whole: JsonObject) -> bytes:
    return orjson.dumps({name: value for name, value in whole.items() if name != "text"})
