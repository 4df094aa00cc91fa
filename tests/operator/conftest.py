"""What the tests of the operator's view ask for: an API that serves it, and its operator."""

from collections.abc import AsyncIterator

import pytest

from jobs.connection import Client
from tests.api import Api
from tests.engine.conftest import engine
from tests.service.edge import OPERATOR_SECRET, Edge, edge
from tests.valkey import ValkeyProcess

__all__ = ["engine"]


@pytest.fixture
async def operated(store: ValkeyProcess, redis: Client) -> AsyncIterator[Edge]:
    """The API on the empty shared store, with its operator's view."""
    async with edge(store.url, jobstream_operator=True) as running:
        yield running


@pytest.fixture
async def operator(operated: Edge) -> AsyncIterator[Api]:
    """Who asks that API, with the operator's secret."""
    async with Api(operated.url, OPERATOR_SECRET) as api:
        yield api
