"""What the tests of the command line ask for: somebody who types, at the shared product."""

from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.system import System


@pytest.fixture
def shell(system: System, tmp_path: Path) -> Shell:
    """A shell whose clients find the shared product, with the service secret."""
    return Shell(system.url, tmp_path)
