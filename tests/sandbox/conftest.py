"""The sandbox of these tests, and the ways to talk to it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.sandbox.server import Sandbox, serve
from tests.sandbox.talker import Talker
from tests.sandbox.talkers import TALKERS


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with serve() as served:
        yield served


@pytest.fixture(params=TALKERS)
async def talker(request: pytest.FixtureRequest, sandbox: Sandbox) -> AsyncIterator[Talker]:
    """Each way of talking to the sandbox in turn."""
    async with TALKERS[request.param](sandbox.url) as talker:
        yield talker
