"""A product that takes its time, so that a test can come in the middle of an answer; and the real clients."""

import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest

from tests.api import Api
from tests.conftest import TEST_ALL
from tests.dialects.script import FOLDER, NODE, NPM, PLACES
from tests.system import SECRET, System, running_system

INSTALL_SECONDS = 300.0


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A product whose providers speak as fast as people read."""
    with running_system(tmp_path_factory.mktemp("slow"), pace=1.0) as running:
        yield running


@pytest.fixture
async def server(slow: System) -> AsyncIterator[Api]:
    """Who asks the slow product, with the service secret."""
    async with Api(slow.url, SECRET) as api:
        yield api


@pytest.fixture(scope="session")
def clients() -> None:
    """The packages of the real clients; without Node their tests are left out, unless everything must be tested."""
    if NODE is None or NPM is None:
        reason = "Node and npm are not installed"
        if TEST_ALL:
            pytest.fail(reason)
        pytest.skip(reason)
    installed, locked = FOLDER / "node_modules" / ".package-lock.json", FOLDER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < locked.stat().st_mtime:
        environment = {**os.environ, "PATH": PLACES}
        ran = subprocess.run(
            [NPM, "ci", "--silent"],
            cwd=FOLDER,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        installed.touch()


@contextmanager
def silence(product: System) -> Iterator[None]:
    """No provider says a word until the block ends."""
    os.kill(product.sandbox.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(product.sandbox.pid, signal.SIGCONT)
