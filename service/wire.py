"""The connection under a request: how long its client may take, how it is ended, and how it is handed over."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message, Send

from service.outlet import Outlet
from service.pipe import Pipe

EXTENSION = "jobstream.wire"
"""Where our server puts it in the ASGI scope; another server does not, and ends connections in its own time."""

HandOver = Callable[[Send, Message], Awaitable[Outlet | None]]
"""Sends the head of an answer, and returns what is left of the connection; None where the client has gone."""


@dataclass(frozen=True)
class Patience:
    """How long the server waits for its clients."""

    head_seconds: float = 10.0
    """For a request line and its headers; so long, too, may a new connection say nothing."""

    body_seconds: float = 30.0
    send_seconds: float = 30.0
    """For a reader that takes nothing of what is sent."""


PATIENCE = Patience()


@dataclass
class Wire:
    """What the application may know of a connection: `give_up` frees its socket, also where closing it would wait
    for a reader that is stuck."""

    send_seconds: float
    give_up: Callable[[], None]
    hand_over: HandOver | None = field(default=None, repr=False)
    outlet: Outlet | None = None
    """What is left of the connection, once it was handed over."""

    pipe: Pipe | None = field(default=None, repr=False)
    """Where messages may be pushed into a WebSocket."""

    async def open_outlet(self, send: Send, head: Message) -> Outlet | None:
        """The connection itself, its answer begun with this head; None where the client has gone."""
        hand_over, self.hand_over = self.hand_over, None  # its protocol is then found by no garbage collection
        if hand_over is not None:
            self.outlet = await hand_over(send, head)
        return self.outlet

    def when_over(self, call: Callable[[], None]) -> None:
        """Have this called when the answer is over: it is, but for one that goes on without its request."""
        if self.outlet is None:
            call()
        else:
            self.outlet.when_over(call)


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
