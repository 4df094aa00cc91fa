"""What the machine must bring for some tests; they are left out without it, unless all are wanted."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import TEST_ALL

FAKETIME = "/usr/lib/*/faketime/libfaketime.so.1"


def program(name: str, package: str) -> Path:
    """Where the program is."""
    found = shutil.which(name)
    return Path(found) if found else _leave_out(f"{name} is not installed (Debian: apt-get install {package})")


def faketime() -> Path:
    """The library that shifts the clock of whoever loads it."""
    found = next(Path("/").glob(FAKETIME.removeprefix("/")), None)
    return found or _leave_out("libfaketime is not installed (Debian: apt-get install libfaketime)")


def _leave_out(reason: str) -> Path:
    if TEST_ALL:
        pytest.fail(reason)
    pytest.skip(reason)
