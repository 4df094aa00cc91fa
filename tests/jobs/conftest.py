"""What the tests of jobs ask for besides what all may ask for."""

import pytest

from jobs.connection import Client
from tests.jobs.doors import Doors


@pytest.fixture
def doors(redis: Client) -> Doors:
    """Every door to the jobs of an empty store."""
    return Doors(redis)
