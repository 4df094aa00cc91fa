"""What the tests of the client ask for: each form of it."""

from collections.abc import AsyncIterator

import pytest

from jobs.connection import Client
from jobstream.client import AsyncClient
from tests.api import Api
from tests.client.forms import FORMS, OpenClient
from tests.jobs.doors import Doors
from tests.system import SECRET, System
from tests.transports.hand import Hand, take_in_hand

SUBJECT = "a-watcher"
LEASE_SECONDS = 7200.0
"""Nobody renews what is written by hand."""


@pytest.fixture(params=FORMS)
def open_client(request: pytest.FixtureRequest) -> OpenClient:
    """Opens a client: what is asked of it is asked of both forms."""
    return FORMS[request.param]


@pytest.fixture
async def client(open_client: OpenClient, system: System) -> AsyncIterator[AsyncClient]:
    """A client of the shared product, with the service secret."""
    async with open_client(system.url, SECRET) as client:
        yield client


@pytest.fixture
async def hand(caller: Api, redis: Client) -> Hand:
    """Who writes a job of the API without a worker: its part has begun."""
    job = await caller.submit("written by hand", subject=SUBJECT)
    hand = await take_in_hand(Doors(redis, LEASE_SECONDS), job["id"])
    await hand.write(hand.begin("openai"))
    return hand
