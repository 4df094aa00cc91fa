"""A store that is written with encryption on."""

from collections.abc import AsyncIterator

import pytest

from jobs.connection import Client, connect
from jobs.encryption import sealer_of
from tests.encryption.keys import FIRST
from tests.jobs.doors import Doors
from tests.valkey import ValkeyProcess


@pytest.fixture
async def sealed(store: ValkeyProcess, redis: Client) -> AsyncIterator[Doors]:
    """Every door to the jobs of an empty store, which seal what they write."""
    async with connect(store.url, sealer=sealer_of(FIRST)) as client:
        yield Doors(client)
