"""What the tests of crowds ask for: jobs that outlast any wait, and a way to say what was measured."""

from collections.abc import Callable

import pytest

from jobs.connection import Client
from tests.jobs.doors import Doors

Say = Callable[[str], None]

LEASE_SECONDS = 600.0
SAID = pytest.StashKey[list[str]]()


@pytest.fixture
def doors(redis: Client) -> Doors:
    """Every door to the jobs of an empty store; whoever holds one of them holds it for the whole test."""
    return Doors(redis, lease_seconds=LEASE_SECONDS)


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """Puts a line into the summary of the whole run."""
    return request.config.stash.setdefault(SAID, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was measured."""
    for line in config.stash.get(SAID, []):
        terminalreporter.write_line(f"measured: {line}")
