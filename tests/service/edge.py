"""The API as its process serves it, guard and settings and all, in the test's own process or in one to be killed."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from sse_starlette.sse import AppStatus

from jobs.kinds import KINDS
from jobs.logs import configure_logs
from jobs.model import JobId
from service.api import ROTATE_SECONDS
from service.api import Api as ServiceParts
from service.app import SEAT_SECONDS, create_app, open_api
from service.credentials import Keyring
from service.guard import GuardedHttp
from service.limits import ALLOWANCE, Allowance
from service.outlet import Outlet
from service.server import server_config
from service.settings import Settings
from tests.api import Api
from tests.service.serving import Serving
from tests.system import SECRET

ROOT = Path(__file__).parents[2]
OPERATOR_SECRET = "an-operator-secret-for-tests"
KEYRING = Keyring(service=[SECRET], operator=[OPERATOR_SECRET], signing=[])
ALL_SCOPES = frozenset({"read", "cancel", "submit:chat", "submit:summarize-session", "submit:summarize-tree"})


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the test runner's."""
        yield


class Edge(Serving):
    """An API that answers, and whose connections can be cut."""

    def __init__(self, url: str, parts: ServiceParts, server: uvicorn.Server) -> None:
        super().__init__(url, parts)
        self._server = server

    def cut(self) -> None:
        """Break every connection, without a word."""
        for connection in list(self._server.server_state.connections):
            assert isinstance(connection, GuardedHttp | Outlet)
            if isinstance(connection, Outlet):
                connection.abort()
            else:
                connection.transport.abort()


@asynccontextmanager
async def edge(
    store_url: str,
    *,
    allowance: Allowance = ALLOWANCE,
    seat_seconds: float = SEAT_SECONDS,
    rotate_seconds: float = ROTATE_SECONDS,
    **settings: Any,
) -> AsyncIterator[Edge]:
    """An API on the store with these settings; its streams have heard farewell when the block ends."""
    AppStatus.enable_automatic_graceful_drain = False
    # Named as TCP, or asyncio would not switch off Nagle's algorithm, which costs 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    host, port = listener.getsockname()
    chosen = Settings(_env_file=None, jobstream_demo=False, **settings)
    async with open_api(
        store_url,
        KINDS,
        KEYRING,
        allowance=allowance,
        ping_seconds=chosen.jobstream_ping_seconds,
        rotate_seconds=rotate_seconds,
        seat_seconds=seat_seconds,
    ) as parts:
        app = create_app(
            parts,
            web=None,
            origins=chosen.jobstream_origins,
            compat=chosen.jobstream_compat,
            compat_copy=chosen.jobstream_compat_copy,
        )
        server = _Server(server_config(app, chosen))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield Edge(f"http://{host}:{port}", parts, server)
        finally:
            parts.feed.stop()
            server.should_exit = True
            await task


def browser(service: Serving, subject: str, scopes: frozenset[str] = ALL_SCOPES) -> Api:
    """A page of the subject."""
    return Api(service.url, KEYRING.browser_token(subject, scopes, seconds=600).token)


def watcher(service: Serving, job_id: str) -> Api:
    """Whoever has the job's stream token."""
    return Api(service.url, KEYRING.stream_token(JobId(job_id), seconds=600).token)


@contextmanager
def edge_process(
    store_url: str, *, seat_seconds: float = SEAT_SECONDS
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An API in a process of its own, and where it listens; killed when the block ends."""
    command = [sys.executable, "-m", "tests.service.edge", store_url, str(seat_seconds)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


async def _serve_until_killed(store_url: str, seat_seconds: str) -> None:
    async with edge(store_url, seat_seconds=float(seat_seconds)) as service:
        print(service.url, flush=True)  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    configure_logs()
    asyncio.run(_serve_until_killed(*sys.argv[1:]))
