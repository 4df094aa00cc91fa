"""The documents that an API serves of itself."""

import pytest

from jobs.model import JsonObject
from tests.api import Api


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
