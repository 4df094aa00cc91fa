"""The sandbox, and each provider on real connections."""

import socket
import threading
from collections.abc import AsyncGenerator, Iterator

import httpx2
import pytest
import uvicorn

from sandbox.app import create_app
from sandbox.settings import Settings
from tests.providers.subjects import SUBJECTS, Subject
from workers.providers.connections import open_connections
from workers.providers.limits import DEFAULT_LIMITS

STOP_SECONDS = 10.0


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """A sandbox that answers as fast as it can."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        config = uvicorn.Config(create_app(Settings(pace=0)), log_level="critical", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield f"http://{host}:{port}"
        server.should_exit = server.force_exit = True
        thread.join(STOP_SECONDS)


@pytest.fixture
async def http() -> AsyncGenerator[httpx2.AsyncClient, None]:
    """Connections with the limits that hold in production."""
    async with open_connections(DEFAULT_LIMITS, proxied=False) as client:
        yield client


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.id)
def subject(request: pytest.FixtureRequest) -> Subject:
    """Each provider in turn."""
    chosen = request.param
    assert isinstance(chosen, Subject)
    return chosen
