"""The API in the test's own process, on a port of loopback: real HTTP, and a store that the test can drive."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from jobs.encryption import Sealer
from jobs.endpoints import UNSIGNED, Endpoints
from jobs.kind import AnyKind
from jobs.kinds import KINDS
from jobs.records.connections import NONE, Connections
from service.api import Api
from service.app import create_app, open_api
from service.credentials import Keyring
from service.feed import PING_SECONDS
from tests.encryption.keys import SEALER
from tests.system import SECRET

KEYRING = Keyring(service=[SECRET], operator=[], signing=[])


class Serving:
    """An API that answers: where, and its parts."""

    def __init__(self, url: str, parts: Api) -> None:
        self.url = url
        self.parts = parts


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the test runner's."""
        yield


@asynccontextmanager
async def serving(
    store_url: str,
    *,
    keyring: Keyring = KEYRING,
    kinds: Mapping[str, AnyKind] = KINDS,
    ping_seconds: float = PING_SECONDS,
    connections: Connections = NONE,
    endpoints: Endpoints = UNSIGNED,
    sealer: Sealer = SEALER,
) -> AsyncIterator[Serving]:
    """An API on the store; its streams have heard farewell when the block ends."""
    # Named as TCP, or asyncio would not switch off Nagle's algorithm, which costs 40 ms an answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        host, port = listener.getsockname()
        async with open_api(
            store_url,
            kinds,
            keyring,
            sealer=sealer,
            ping_seconds=ping_seconds,
            connections=connections,
            endpoints=endpoints,
        ) as parts:
            config = uvicorn.Config(create_app(parts, web=None), log_config=None, access_log=False, lifespan="off")
            server = _Server(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                yield Serving(f"http://{host}:{port}", parts)
            finally:
                parts.feed.stop()
                server.should_exit = True
                await task
