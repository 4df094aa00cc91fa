"""The AsyncAPI document: the messages of the streams, made of the classes that the updates are made of."""

from typing import Any, ClassVar, Literal, NamedTuple, get_args

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import models_json_schema

from jobs.model import JOB_ID_PATTERN, JsonObject, Reason, Snapshot
from jobs.updates import Ended, EventName, PartChanged, Progressed, StateChanged, StepChanged, Wrote
from service.shapes import Problem
from service.transports.websocket.ops import Op

VERSION = "3.0.0"


class SnapshotTold(Snapshot):
    """The whole job as of one update; replaces all that was known of it."""

    event: ClassVar[EventName] = "snapshot"
    reason: Reason


class Pinged(BaseModel):
    """Nothing has happened for a while; `cursor` is the newest, so that a lost last update is noticed."""

    event: ClassVar[EventName] = "ping"
    cursor: str | None
    now: str


class Bye(BaseModel):
    """The server is about to close: come back with the last cursor."""

    event: ClassVar[EventName] = "bye"
    reason: Literal["shutdown", "rotate", "unauthorized"]


class ProblemTold(Problem):
    """Why a job can't be followed, or not any further."""

    event: ClassVar[EventName] = "problem"


UPDATES = (SnapshotTold, StateChanged, Progressed, StepChanged, PartChanged, Wrote, Ended)
"""What the log tells; each has a cursor."""

REMARKS = (Pinged, Bye, ProblemTold)
"""What the server says for itself, without a cursor."""


class OpAnswer(BaseModel):
    """What the server answers to an op."""

    op: Literal["subscribed", "unsubscribed", "cancelling", "pong", "error"]
    job: str | None = None
    problem: Problem | None = None


class SocketMessage(BaseModel):
    """An update or a remark on a WebSocket; `data` as the message of the event has it."""

    id: str | None = None
    job: str | None = None
    event: EventName
    data: JsonValue


class Channel(NamedTuple):
    """A way to follow jobs."""

    name: str
    address: str
    summary: str
    socket: bool = False

    @property
    def messages(self) -> list[str]:
        """What is said on it, by name."""
        events = [model.event for model in (*UPDATES, *REMARKS)]
        return ["socketMessage", "opAnswer"] if self.socket else [str(event) for event in events]


OPS = get_args(Op)
"""What a client may say."""

HEARING = "jobsSocket"
"""The channel on which clients speak, too."""

CHANNELS = (
    Channel("job", "/v1/jobs/{job_id}/stream", "One job as server-sent events."),
    Channel("jobs", "/v1/stream", "Up to 32 jobs as server-sent events; each data has `job` and `seq` too."),
    Channel("jobSocket", "/v1/jobs/{job_id}/ws", "One job over a WebSocket, subprotocol `jobs.v1`.", socket=True),
    Channel(HEARING, "/v1/ws", "Many jobs over a WebSocket, changed as it goes, subprotocol `jobs.v1`.", socket=True),
)


def document(*, version: str) -> JsonObject:
    """What the service sends while a job is followed, as AsyncAPI 3."""
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "Jobstream",
            "version": version,
            "description": "The updates of jobs, as they are told over server-sent events and WebSocket. "
            "A client that folds them has, after each, what polling would have returned.",
        },
        "defaultContentType": "application/json",
        "channels": {each.name: _channel(each) for each in CHANNELS},
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _channel(channel: Channel) -> JsonObject:
    names = [*channel.messages, *(["op"] if channel.name == HEARING else [])]
    told: JsonObject = {
        "address": channel.address,
        "summary": channel.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}} if channel.socket else {},
    }
    if "{job_id}" in channel.address:
        told["parameters"] = {"job_id": {"description": f"The job's id, {JOB_ID_PATTERN}"}}
    return told


def _operations() -> JsonObject:
    told = {f"tell-{channel.name}": _operation("send", channel.name, channel.messages) for channel in CHANNELS}
    return told | {"hear-ops": _operation("receive", HEARING, ["op"])}


def _operation(action: str, channel: str, messages: list[str]) -> JsonObject:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
    }


def _messages() -> JsonObject:
    said: dict[str, type[BaseModel]] = {model.event: model for model in (*UPDATES, *REMARKS)}
    said |= {"socketMessage": SocketMessage, "opAnswer": OpAnswer}
    told = {name: _message(name, model.__doc__ or "", _schema_of(model)) for name, model in said.items()}
    op = _message("op", "What a client says.", {"oneOf": [_schema_of(model) for model in OPS]})
    return told | {"op": op}


def _message(name: str, doc: str, payload: JsonObject) -> JsonObject:
    return {"name": name, "summary": doc.partition("\n")[0], "payload": payload}


def _schema_of(model: type[BaseModel]) -> JsonObject:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _schemas() -> JsonObject:
    models = (*UPDATES, *REMARKS, OpAnswer, SocketMessage, *OPS)
    _, told = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    defined: dict[str, dict[str, Any]] = told["$defs"]
    said_by_clients = {model.__name__ for model in OPS}
    return {name: schema if name in said_by_clients else _growing(schema) for name, schema in defined.items()}


def _growing(schema: dict[str, Any]) -> JsonObject:
    """A schema to which fields may be added: clients ignore what they don't know."""
    return {name: each for name, each in schema.items() if (name, each) != ("additionalProperties", False)}
