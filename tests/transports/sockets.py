"""A WebSocket client for tests: what it says, and what it is told until the server closes."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import cast

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from jobs.model import JsonObject
from tests.api import Api
from tests.jobs.patience import PATIENCE_SECONDS

PROTOCOL = cast(Subprotocol, "jobs.v1")


def dial(api: Api, path: str, *, subprotocols: Sequence[Subprotocol] = (PROTOCOL,)) -> connect:
    """A WebSocket to the service, with the caller's credential."""
    url = str(api.http.base_url).replace("http", "ws", 1).rstrip("/") + path
    credential = {name: api.http.headers[name] for name in ("Authorization",) if name in api.http.headers}
    offered = list(subprotocols) or None
    return connect(url, subprotocols=offered, additional_headers=credential, proxy=None, max_size=None)


async def say(socket: ClientConnection, **op: object) -> None:
    """One op; what is None is left out."""
    await socket.send(json.dumps({name: value for name, value in op.items() if value is not None}))


async def messages(socket: ClientConnection) -> AsyncGenerator[JsonObject, None]:
    """What the server says, until it closes."""
    with suppress(ConnectionClosed):
        while True:
            async with asyncio.timeout(PATIENCE_SECONDS):
                message = await socket.recv()
            yield json.loads(message)


async def hear(socket: ClientConnection, until: str | None = None) -> list[JsonObject]:
    """What is said, up to an op or event of that name, or until the server closes."""
    heard: list[JsonObject] = []
    async for message in messages(socket):
        heard.append(message)
        if until and until in (message.get("op"), message.get("event")):
            break
    return heard


def names(heard: list[JsonObject]) -> list[str]:
    """The ops and events."""
    return [each.get("op") or each["event"] for each in heard]


def problems(heard: list[JsonObject]) -> list[str]:
    """The slugs of what was refused."""
    return [each["problem"]["type"].removeprefix("/problems/") for each in heard if each.get("op") == "error"]
