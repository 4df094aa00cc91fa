"""The contract of a call: one request as a value, and how its answer is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from jobstream.client.fold import JsonObject

Result = TypeVar("Result")


@dataclass(frozen=True)
class Call(Generic[Result]):
    """One request; `repeatable` if sending it twice comes to the same as sending it once."""

    method: str
    path: str
    read: Callable[[bytes], Result]
    repeatable: bool = True
    params: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JsonObject | None = None
    held_seconds: float = 0.0
    """How long the service may hold the answer because it was asked to."""


def place(*parts: str) -> str:
    """The path to what these parts name."""
    return "/".join(["/v1", *(quote(part, safe="") for part in parts)])


def given(**fields: Any) -> JsonObject:
    """The fields that have a value, as JSON has them; the service knows what the others mean."""
    return {name: _plain(value) for name, value in fields.items() if value is not None}


def nothing(_body: bytes) -> None:
    """What an answer without a body comes to."""


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
    return value
