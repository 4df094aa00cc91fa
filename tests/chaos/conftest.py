"""What the tests of chaos ask for: an arena of their own."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chaos.arena import Arena, open_arena

SEED = int(os.environ.get("JOBSTREAM_CHAOS_SEED", "1"))
"""Decides everything that chance decides; a run that failed is run again by its seed."""


@pytest.fixture
async def arena(tmp_path: Path) -> AsyncIterator[Arena]:
    """An empty store that a test may kill, and no worker yet."""
    async with open_arena(tmp_path) as arena:
        yield arena
