"""The server that takes the writes dies, and Sentinels make another one take its place."""

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jobs.connection import connect
from tests.chaos.arena import Arena, Workers, patiently
from tests.chaos.conftest import Say
from tests.chaos.failover import Group, running_group
from tests.chaos.invariants import broken_promises, leftovers
from tests.chaos.witness import Witness


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    """Two servers and three Sentinels."""
    with running_group(tmp_path) as group:
        yield group
