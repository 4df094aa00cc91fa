"""A job as the store holds it, put together into the snapshot that clients see."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import orjson

from jobs.clock import MICROSECONDS, from_microseconds, to_microseconds
from jobs.contents import Contents, field_of
from jobs.encryption import Sealer
from jobs.errors import IntegrityError
from jobs.model import JobId, JsonObject, State
from jobs.updates import Cursor, Entry, fold, one_line


@dataclass(frozen=True)
class Story:
    """A job as of one update. `before_end` is the snapshot without its run's last update, `end` that update;
    for a job that goes on, `end` is None and `before_end` is the job as it is. Neither holds `links` or `elapsed`."""

    before_end: JsonObject
    end: Entry | None

    @cached_property
    def snapshot(self) -> JsonObject:
        """The job as polling returns it."""
        if self.end is None:
            return self.before_end
        return fold(self.before_end, self.end.event, orjson.loads(self.end.body), self.end.cursor)

    @cached_property
    def encoded(self) -> bytes:
        """`before_end` as one line of JSON; made once, shared by all its readers."""
        return one_line(orjson.dumps(self.before_end))

    @property
    def cursor(self) -> Cursor:
        return self.end.cursor if self.end else self.cursor_before_end

    @property
    def cursor_before_end(self) -> Cursor:
        return Cursor.parse(self.before_end["cursor"])

    @property
    def state(self) -> State:
        return State(self.snapshot["state"])

    @property
    def subject(self) -> str | None:
        subject: str | None = self.before_end["subject"]
        return subject


def elapsed(snapshot: JsonObject) -> float | None:
    """Seconds since the job started, up to its end; never negative, since this clock is not the store's."""
    if snapshot["started_at"] is None:
        return None
    end = snapshot["finished_at"]
    stop = to_microseconds(end) / MICROSECONDS if end else datetime.now(UTC).timestamp()
    return round(max(0.0, stop - to_microseconds(snapshot["started_at"]) / MICROSECONDS), 3)


def story(job_id: JobId, answer: Any, sealer: Sealer) -> Story:
    """What the snapshot script answered; IntegrityError if it is about another job, or cannot be opened."""
    record, parts, steps, texts = answer
    held = dict(_pairs(record))
    if held["id"] != job_id.encode():
        raise IntegrityError("The store answered about another job.")
    contents = Contents(sealer, job_id, _text(held, "subject"))
    end = _end(held, contents)
    before_end = _facts(held, end) | {
        "progress": _opened(contents, "progress", held.get("progress")) or {},
        "parts": _parts(held, parts, texts, contents),
        "steps": _steps(held, steps, contents),
        "result": None,
        "error": _opened(contents, "error", held.get("error")),
    }
    return Story(before_end, end)


def _facts(held: dict[str, bytes], end: Entry | None) -> JsonObject:
    seq = int(held["seq"]) - (end is not None)
    cursor = Cursor(int(held["us_before"] if end else held["us"]), seq)
    return {
        "id": held["id"].decode(),
        "kind": held["kind"].decode(),
        "state": held["state_before" if end else "state"].decode(),
        "run": int(held["run"]),
        "seq": seq,
        "cursor": str(cursor),
        "attempt": int(held["attempt"]),
        "max_attempts": int(held["max_attempts"]),
        "priority": int(held["priority"]),
        "subject": _text(held, "subject"),
        "metadata": _json(held, "metadata") or {},
        "created_at": from_microseconds(int(held["created_us"])),
        "run_at": _text(held, "run_at"),
        "started_at": _text(held, "started_at"),
        "finished_at": None,
        "next_attempt_at": _text(held, "next_attempt_at"),
        "expires_at": None,
    }


def _end(held: dict[str, bytes], contents: Contents) -> Entry | None:
    if not held.get("end_body"):
        return None
    cursor = Cursor(int(held["end_us"]), int(held["seq"]))
    return Entry.at(cursor, "end", int(held["end_total"]), contents.open_update("end", held["end_body"]))


def _parts(held: dict[str, bytes], values: Any, texts: Any, contents: Contents) -> JsonObject:
    value_of, pieces_of = dict(_pairs(values)), dict(_pairs(texts))
    return {
        name: {
            **_opened(contents, field_of("part", name), value_of[name]),
            "text": b"".join(contents.open(field_of("text", name), piece) for piece in pieces_of[name]).decode(),
        }
        for name in _names(held, "part_names")
    }


def _steps(held: dict[str, bytes], values: Any, contents: Contents) -> list[JsonObject]:
    value_of = dict(_pairs(values))
    return [_opened(contents, field_of("step", name), value_of[name]) for name in _names(held, "step_names")]


def _names(held: dict[str, bytes], field: str) -> list[str]:
    return [name for name in held.get(field, b"").decode().split(",") if name]


def _pairs(flat: Any) -> Iterator[tuple[str, Any]]:
    return ((name.decode(), value) for name, value in zip(flat[::2], flat[1::2], strict=True))


def _text(held: dict[str, bytes], field: str) -> str | None:
    return held.get(field, b"").decode() or None


def _opened(contents: Contents, field: str, value: bytes | None) -> Any:
    return orjson.loads(contents.open(field, value)) if value else None


def _json(held: dict[str, bytes], field: str) -> Any:
    value = held.get(field)
    return orjson.loads(value) if value else None
