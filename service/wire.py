"""The connection under a request: how long its client may take, and how it is ended when that was not enough."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

EXTENSION = "jobstream.wire"
"""Where our server puts it in the ASGI scope; another server does not, and ends connections in its own time."""


@dataclass(frozen=True)
class Patience:
    """How long the server waits for its clients."""

    head_seconds: float = 10.0
    """For a request line and its headers; so long, too, may a new connection say nothing."""

    body_seconds: float = 30.0
    send_seconds: float = 30.0
    """For a reader that takes nothing of what is sent."""


PATIENCE = Patience()


@dataclass(frozen=True)
class Wire:
    """What the application may know of a connection: `give_up` frees its socket, also where closing it would wait
    for a reader that is stuck."""

    send_seconds: float
    give_up: Callable[[], None]


def extension(wire: Wire) -> dict[str, Any]:
    """The scope's extensions that hold it."""
    return {EXTENSION: {"wire": wire}}


def wire_of(scope: Mapping[str, Any]) -> Wire:
    """The connection under the request of this scope."""
    held = scope.get("extensions", {}).get(EXTENSION)
    if held is None:
        return Wire(PATIENCE.send_seconds, lambda: None)
    wire: Wire = held["wire"]
    return wire
