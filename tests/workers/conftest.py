"""What the tests of workers ask for besides what all may ask for."""

import pytest

from jobs.connection import Client
from tests.engine.conftest import engine
from tests.jobs.doors import Doors
from tests.workers.workshop import Workshop

__all__ = ["engine"]


@pytest.fixture
def doors(redis: Client) -> Doors:
    """Every door to the jobs of an empty store."""
    return Doors(redis)


@pytest.fixture
def workshop(doors: Doors) -> Workshop:
    """Where a test's own kinds are run."""
    return Workshop(doors)
