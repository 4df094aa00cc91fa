"""A sandbox on loopback, in a thread of the test process."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from sandbox.app import create_app
from sandbox.settings import Settings

_PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox."""

    url: str
    server: "_Server"

    async def rests(self) -> bool:
        """Whether the requests that are being answered now all end in time."""
        ending = asyncio.run_coroutine_threadsafe(self.server.end_of_requests(), self.server.loop)
        return await asyncio.wrap_future(ending)


class _Server(uvicorn.Server):
    """A server that tells when it is ready, and when it has nothing left to do."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.ready.set()

    async def end_of_requests(self) -> bool:
        requests = self.server_state.tasks
        _, running = await asyncio.wait(requests, timeout=_PATIENCE_SECONDS) if requests else (None, set())
        return not running


@contextmanager
def serve(*, pace: float = 0) -> Iterator[Sandbox]:
    """A sandbox that speaks at this pace, as fast as it can unless said, and ends with the block."""
    app = create_app(Settings(pace=pace))
    server = _Server(
        uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=0, ws="none")
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert server.ready.wait(_PATIENCE_SECONDS)
            yield Sandbox(f"http://127.0.0.1:{listener.getsockname()[1]}", server)
        finally:
            server.should_exit = True
            thread.join(_PATIENCE_SECONDS)
