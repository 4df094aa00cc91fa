"""How long a socket may say nothing, and how long a client may, on a clock that jumps."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from starlette.websockets import WebSocket

from jobs.log import Head
from jobs.model import JobId, JsonObject, State
from service.api import Api
from service.auth import Access
from service.credentials import Service
from service.feed import PING_SECONDS, Bounds, Bye, Feed
from service.hub import Hub
from service.transports.websocket.closing import UNAUTHORIZED, Closing
from service.transports.websocket.connection import Connection
from service.transports.websocket.session import FIRST_SECONDS, Session
from service.witness import Unwatched
from tests.service.hasty import run_hastily
from tests.service.unreliable import JOB, START, FakeStore, Faults

HOUR_SECONDS = 3600.0
SUBSCRIBE = {"op": "subscribe", "job": JOB, "after": str(START)}


def now() -> float:
    return asyncio.get_running_loop().time()


class ScriptedSocket:
    """A client that says each thing at its moment, and notes when it was told what."""

    def __init__(self, script: Sequence[tuple[float, JsonObject]]) -> None:
        state = SimpleNamespace(api=SimpleNamespace(witness=Unwatched()))
        self.scope: JsonObject = {"app": SimpleNamespace(state=state)}
        self.told_at: list[float] = [0.0]
        self.told: list[JsonObject] = []
        self._script = list(script)

    async def receive(self) -> JsonObject:
        moment, op = self._script.pop(0) if self._script else (HOUR_SECONDS, {})
        await asyncio.sleep(moment - now())
        return {"type": "websocket.receive", "text": orjson.dumps(op).decode()}

    async def send(self, message: JsonObject) -> None:
        self.told_at.append(now())
        self.told.append(orjson.loads(message["text"]))

    @property
    def longest_silence(self) -> float:
        """In seconds, from the beginning to the last thing that was told."""
        return max(later - earlier for earlier, later in zip(self.told_at, self.told_at[1:], strict=False))


@asynccontextmanager
async def session(socket: ScriptedSocket, access: Access | None) -> AsyncIterator[Session]:
    """A session of that client over a job that goes on and says nothing."""
    store = FakeStore(0, Faults())
    hub = Hub(store.subscribe)
    feed = Feed(store.log, hub)

    async def readable(_name: str, _access: Access) -> tuple[JobId, Head]:
        return JOB, Head("chat", None, State.RUNNING, store.log.newest.cursor)

    def bounds(_accesses: Sequence[Access]) -> Bounds:
        return Bounds(HOUR_SECONDS, Bye("rotate"))

    api: Any = SimpleNamespace(feed=feed, readable=readable, bounds=bounds)
    async with hub.running():
        await asyncio.sleep(1)
        connection = Connection(cast(WebSocket, socket), "a-request", ping_seconds=PING_SECONDS)
        yield Session(connection, cast(Api, api), access)


@pytest.mark.parametrize(
    "script",
    [
        [],
        [(2.0, SUBSCRIBE)],
        [(2.0, SUBSCRIBE), (14.0, {"op": "ping"})],
        [(2.0, SUBSCRIBE), (16.5, {"op": "ping"}), (31.0, {"op": "ping"})],
        [(2.0, SUBSCRIBE), (16.9, {"op": "unsubscribe", "job": "x" * 32})],
    ],
    ids=["nobody is followed", "a silent job", "a client that asks", "one that asks again", "another op"],
)
def test_no_socket_is_silent_for_longer_than_between_two_pings(script: list[tuple[float, JsonObject]]) -> None:
    """Or hardly, whatever is followed, and whenever the client was answered."""

    async def scene() -> float:
        socket = ScriptedSocket(script)
        async with session(socket, Access(Service())) as serving:
            task = asyncio.create_task(serving.run())
            await asyncio.sleep(200)
            task.cancel()
            await asyncio.wait({task})
        return socket.longest_silence

    assert run_hastily(scene()) <= PING_SECONDS + 2


@pytest.mark.parametrize("script", [[], [(5.0, SUBSCRIBE)], [(5.0, {"op": "ping"})]])
def test_a_client_without_a_credential_brings_a_token_soon_or_is_sent_away(
    script: list[tuple[float, JsonObject]],
) -> None:
    """4401 after ten seconds, whatever else it said."""

    async def scene() -> tuple[float, Closing]:
        socket = ScriptedSocket(script)
        async with session(socket, None) as serving:
            began = now()
            with pytest.raises(Closing) as closing:
                await serving.run()
            return now() - began, closing.value

    seconds, closing = run_hastily(scene())

    assert seconds == pytest.approx(FIRST_SECONDS)
    assert (closing.code, closing.refusal and closing.refusal.code) == (UNAUTHORIZED, "unauthorized")
