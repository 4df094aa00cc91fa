"""An API, and the documents that it serves of itself."""

from collections.abc import AsyncIterator

import pytest

from jobs.connection import Client
from jobs.model import JsonObject
from tests.api import Api
from tests.service.edge import edge
from tests.system import SECRET
from tests.valkey import ValkeyProcess


@pytest.fixture
async def caller(store: ValkeyProcess, redis: Client) -> AsyncIterator[Api]:
    """The app's server, which calls the API."""
    async with edge(store.url) as service, Api(service.url, SECRET) as caller:
        yield caller


@pytest.fixture
async def openapi(caller: Api) -> JsonObject:
    """What the API says of its routes."""
    return await document(caller, "/openapi.json")


@pytest.fixture
async def asyncapi(caller: Api) -> JsonObject:
    """What the API says of its streams."""
    return await document(caller, "/asyncapi.json")


async def document(caller: Api, path: str) -> JsonObject:
    answer = await caller.http.get(path)
    assert answer.status_code == 200
    told: JsonObject = answer.json()
    return told
