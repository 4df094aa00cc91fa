"""One service for all tests of the transports, as its process serves it; each test finds its store empty."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from jobs.connection import Client, connect
from tests.api import Api
from tests.encryption.keys import SEALER
from tests.service.edge import Edge, edge
from tests.system import SECRET
from tests.valkey import ValkeyProcess


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests in the event loop that their service runs in."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="package"), append=False)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def service(store: ValkeyProcess) -> AsyncIterator[Edge]:
    """The API, guard and all, without a worker, so that a test decides what happens."""
    async with edge(store.url) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="package")
async def redis(store: ValkeyProcess) -> AsyncIterator[Client]:
    """A client of the empty store."""
    async with connect(store.url, sealer=SEALER) as client:
        await client.flushall()
        yield client


@pytest_asyncio.fixture(loop_scope="package")
async def caller(service: Edge, redis: Client) -> AsyncIterator[Api]:
    """Who asks the API, with the service secret."""
    async with Api(service.url, SECRET) as api:
        yield api
