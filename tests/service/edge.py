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
from fastapi import FastAPI
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
from tests.encryption.keys import SEALER
from tests.service.serving import Serving
from tests.system import SECRET
from tests.transports.certificate import Certificate

ROOT = Path(__file__).parents[2]
OPERATOR_SECRET = "an-operator-secret-for-tests"
KEYRING = Keyring(service=[SECRET], operator=[OPERATOR_SECRET], signing=[])
PORTABLE_HOST = "127.0.0.2"
"""Where the same API answers on the same port, and sends its streams the portable way."""

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

    @property
    def connections(self) -> list[object]:
        """What the server has open."""
        return list(self._server.server_state.connections)

    def cut(self) -> None:
        """Break every connection, without a word."""
        for connection in self.connections:
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
    certificate: Certificate | None = None,
    **settings: Any,
) -> AsyncIterator[Edge]:
    """An API on the store with these settings; its streams have heard farewell when the block ends."""
    AppStatus.enable_automatic_graceful_drain = False
    chosen = Settings(_env_file=None, jobstream_demo=False, **settings)
    async with open_api(
        store_url,
        KINDS,
        KEYRING,
        sealer=SEALER,
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
            operator=chosen.jobstream_web if chosen.jobstream_operator else None,
        )
        direct, portable = (_server(app, chosen, way, certificate) for way in ("direct", "portable"))
        listener = _listener("127.0.0.1", 0)
        host, port = listener.getsockname()
        scheme = "http" if certificate is None else "https"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(direct.serve(sockets=[listener]))
            tasks.create_task(portable.serve(sockets=[_listener(PORTABLE_HOST, port)]))
            try:
                yield Edge(f"{scheme}://{host}:{port}", parts, direct)
            finally:
                parts.feed.stop()
                direct.should_exit = portable.should_exit = True


def _server(app: FastAPI, settings: Settings, way: str, certificate: Certificate | None) -> _Server:
    config = server_config(app, settings.model_copy(update={"jobstream_sse": way}))
    if certificate is not None:
        config.ssl_certfile, config.ssl_keyfile = certificate.file, certificate.key
    return _Server(config)


def _listener(host: str, port: int) -> socket.socket:
    # Named as TCP, or asyncio would not switch off Nagle's algorithm, which costs 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((host, port))
    listener.listen()
    return listener


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
