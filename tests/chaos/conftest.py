"""What the tests of chaos ask for: an arena of their own, and a way to say what they measured."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.chaos.arena import Arena, open_arena

Say = Callable[[str], None]

SEED = int(os.environ.get("JOBSTREAM_CHAOS_SEED", "1"))
"""Decides everything that chance decides; a run that failed is run again by its seed."""

SAID = pytest.StashKey[list[str]]()


@pytest.fixture
async def arena(tmp_path: Path) -> AsyncIterator[Arena]:
    """An empty store that a test may kill, and no worker yet."""
    async with open_arena(tmp_path) as arena:
        yield arena


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """Puts a line into the summary of the whole run."""
    return request.config.stash.setdefault(SAID, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was measured."""
    for line in config.stash.get(SAID, []):
        terminalreporter.write_line(f"chaos: {line}")
