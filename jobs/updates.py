"""The entries of a job's log: one frozen class per update type, how they are written, and how a client folds them."""

import hashlib
import json
from typing import ClassVar, Literal, NamedTuple

import orjson
from pydantic import Field, JsonValue

from jobs.errors import InvalidCursor
from jobs.model import Failure, JsonObject, PartState, State, StepState, Value, whole

EventName = Literal["snapshot", "state", "progress", "step", "part", "delta", "end", "ping", "bye", "problem"]


class StateChanged(Value):
    """The job is in another state, or was picked up again."""

    event: ClassVar[EventName] = "state"
    state: State
    run: int
    attempt: int
    next_attempt_at: str | None
    started_at: str | None
    error: Failure | None
    reason: Literal["handed-back", "worker-lost"] | None = None
    from_: Literal["start"] | None = Field(default=None, alias="from")


class Progressed(Value):
    """The job got further; only the fields that are set changed."""

    event: ClassVar[EventName] = "progress"
    percent: float | None = Field(default=None, ge=0, le=100)
    message: str | None = None
    total: int | None = None
    processed: int | None = None
    inserted: int | None = None
    updated: int | None = None
    errors: int | None = None


class StepChanged(Value):
    """A step began, completed or failed; replaces the step of that name."""

    event: ClassVar[EventName] = "step"
    name: str
    state: StepState
    attempt: int
    started_at: str
    finished_at: str | None = None


class PartChanged(Value):
    """A part began, moved on or ended; only the fields that are set changed."""

    event: ClassVar[EventName] = "part"
    part: str
    state: PartState | None = None
    text: str | None = None
    model: str | None = None
    attempt: int | None = None
    result: JsonValue = None
    error: Failure | None = None
    usage: JsonObject | None = None
    elapsed: float | None = None
    first_token: float | None = None
    length: int | None = None
    sha256: str | None = None


class Wrote(Value):
    """A part's text grew; `at` is its length before, in UTF-16 code units."""

    event: ClassVar[EventName] = "delta"
    part: str
    text: str
    at: int


class PartEnd(Value):
    """How a part stood when its run ended."""

    state: PartState
    length: int | None
    sha256: str | None


class Ended(Value):
    """The last update of a run. The store writes it, since it may end a job by itself."""

    event: ClassVar[EventName] = "end"
    state: Literal[State.COMPLETED, State.FAILED, State.CANCELLED]
    result: JsonValue
    error: Failure | None
    finished_at: str
    expires_at: str | None
    parts: dict[str, PartEnd]


Update = StateChanged | Progressed | StepChanged | PartChanged | Wrote | Ended

# JSON lets these stand as they are, but some clients split lines at them.
_LINE_BREAKS = ((b"\xe2\x80\xa8", b"\\u2028"), (b"\xe2\x80\xa9", b"\\u2029"), (b"\xc2\x85", b"\\u0085"))


def encode(update: Value) -> bytes:
    """The fields that were set, as one line of JSON in UTF-8."""
    return one_line(update.model_dump_json(exclude_unset=True, by_alias=True).encode())


def json_line(value: JsonValue) -> bytes:
    """The value as one line of JSON in UTF-8; a lone surrogate in it becomes U+FFFD."""
    try:
        return one_line(orjson.dumps(value))
    except TypeError:  # orjson takes no surrogates
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return one_line(whole(text).encode())


def one_line(body: bytes) -> bytes:
    """The same JSON with every character escaped at which some client would break a line."""
    for raw, escaped in _LINE_BREAKS:
        if raw in body:
            body = body.replace(raw, escaped)
    return body


class Cursor(NamedTuple):
    """A place in a log: the store's clock in microseconds when the update was appended, and its number."""

    us: int
    seq: int

    def __str__(self) -> str:
        return f"{self.us}-{self.seq}"

    @property
    def written(self) -> bytes:
        """As the log writes it."""
        return b"%d-%d" % self

    @classmethod
    def read(cls, written: bytes) -> "Cursor":
        """What the log has written."""
        us, _, seq = written.partition(b"-")
        return cls(int(us), int(seq))

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor that a client hands back; InvalidCursor for anything that no log gave out."""
        us, dash, seq = text.partition("-")
        if not (dash and _is_number(us) and _is_number(seq)):
            raise InvalidCursor("A cursor has the form <microseconds>-<seq>, as given in `id:` or `cursor`.")
        return cls(int(us), int(seq))


def _is_number(text: str) -> bool:
    return 0 < len(text) <= 18 and text.isascii() and text.isdigit()


class Entry(NamedTuple):
    """One update as the log holds it: `place` is its cursor as it is written, `body` encoded JSON, `total` the log's
    bytes up to and with it. What is only passed on is not read, and costs a reader of its own half as much."""

    place: bytes
    event: str
    total: int
    body: bytes

    @classmethod
    def at(cls, cursor: Cursor, event: str, total: int, body: bytes) -> "Entry":
        """The entry of that cursor."""
        return cls(cursor.written, event, total, body)

    @property
    def cursor(self) -> Cursor:
        return Cursor.read(self.place)

    @property
    def seq(self) -> int:
        return self.cursor.seq

    @property
    def last(self) -> bool:
        """Whether its run ended with it."""
        return self.event == "end"

    @property
    def frame(self) -> bytes:
        """The entry as one server-sent event."""
        return b"id: %s\nevent: %s\ndata: %s\n\n" % (self.place, self.event.encode(), self.body)


def utf16_length(text: str) -> int:
    """How long JavaScript says the text is."""
    return len(text) + sum(character > "\uffff" for character in text)


def sha256(text: str) -> str:
    """The digest by which a client proves that it has the whole text."""
    return hashlib.sha256(text.encode()).hexdigest()


def fold(snapshot: JsonObject, event: str, data: JsonObject, cursor: Cursor) -> JsonObject:
    """The snapshot after the update; the one given stays as it is. An unknown update type changes nothing."""
    after = {**snapshot, "seq": cursor.seq, "cursor": str(cursor)}
    match event:
        case "state":
            return after | _state(snapshot, data)
        case "progress":
            return after | {"progress": {**snapshot["progress"], **data}}
        case "step":
            return after | {"steps": _replaced(snapshot["steps"], data)}
        case "part":
            return after | {"parts": _merged(snapshot["parts"], {data["part"]: _without(data, "part")})}
        case "delta":
            text = snapshot["parts"][data["part"]]["text"] + data["text"]
            return after | {"parts": _merged(snapshot["parts"], {data["part"]: {"text": text}})}
        case "end":
            return after | _end(snapshot, data)
    return after


def _state(snapshot: JsonObject, data: JsonObject) -> JsonObject:
    changed = {name: value for name, value in data.items() if name not in {"reason", "from"}}
    if data["run"] != snapshot["run"]:
        changed |= {"result": None, "finished_at": None, "expires_at": None, "progress": {}}
    if data.get("from") == "start":
        changed |= {"steps": [], "parts": {}}
    return changed


def _end(snapshot: JsonObject, data: JsonObject) -> JsonObject:
    steps = [{**step, "state": "failed"} if step["state"] == "running" else step for step in snapshot["steps"]]
    parts = _merged(snapshot["parts"], data["parts"])
    return data | {"next_attempt_at": None, "steps": steps, "parts": parts}


def _merged(parts: JsonObject, changes: JsonObject) -> JsonObject:
    return parts | {name: {**parts.get(name, {}), **change} for name, change in changes.items()}


def _replaced(steps: list[JsonObject], step: JsonObject) -> list[JsonObject]:
    if any(known["name"] == step["name"] for known in steps):
        return [step if known["name"] == step["name"] else known for known in steps]
    return [*steps, step]


def _without(data: JsonObject, name: str) -> JsonObject:
    return {key: value for key, value in data.items() if key != name}
