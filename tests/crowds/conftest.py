"""What the tests of crowds ask for: jobs that outlast any wait."""

import pytest

from jobs.connection import Client
from tests.jobs.doors import Doors

LEASE_SECONDS = 600.0


@pytest.fixture
def doors(redis: Client) -> Doors:
    """Every door to the jobs of an empty store; whoever holds one of them holds it for the whole test."""
    return Doors(redis, lease_seconds=LEASE_SECONDS)
