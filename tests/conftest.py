"""What every test may ask for: the whole product once per session, a store of its own, and who talks to it."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jobs.connection import Client, connect
from tests.api import Api
from tests.encryption.keys import SEALER
from tests.figures import Say
from tests.jobs.doors import Doors
from tests.service.serving import Serving, serving
from tests.system import SECRET, System, running_system
from tests.valkey import ValkeyProcess, running_valkey

TEST_ALL = os.environ.get("JOBSTREAM_TEST_ALL") == "1"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The product, shared by all tests that leave it as it was."""
    with running_system(tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture(scope="session")
def demo_url(system: System) -> str:
    """Where the page is served."""
    return system.url.replace("127.0.0.1", "localhost")


@pytest.fixture
async def api(system: System) -> AsyncIterator[Api]:
    """The shared product's API, asked with the service secret."""
    async with Api(system.url, SECRET) as api:
        yield api


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyProcess]:
    """A store without the product, shared; each test finds it empty."""
    with running_valkey(tmp_path_factory.mktemp("store")) as server:
        yield server


@pytest.fixture
async def redis(store: ValkeyProcess) -> AsyncIterator[Client]:
    """A client of the empty shared store."""
    async with connect(store.url, sealer=SEALER) as client:
        await client.flushall()
        yield client


@pytest.fixture
async def service(store: ValkeyProcess, redis: Client) -> AsyncIterator[Serving]:
    """The API alone, in this process, on the empty shared store: no worker, so that a test decides what happens."""
    async with serving(store.url) as running:
        yield running


@pytest.fixture
async def caller(service: Serving) -> AsyncIterator[Api]:
    """Who asks that API, with the service secret."""
    async with Api(service.url, SECRET) as api:
        yield api


@pytest.fixture
def doors(redis: Client) -> Doors:
    """The ways into the jobs of the empty shared store, for whoever plays the worker."""
    return Doors(redis)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser; without one, its tests are left out, unless everything must be tested."""
    if CHROMIUM is None:
        reason = "Chromium is not installed (Debian: apt-get install chromium)"
        if TEST_ALL:
            pytest.fail(reason)
        pytest.skip(reason)
    return Path(CHROMIUM)


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Say:
    """Puts a line into the summary of the whole run, whichever process of it measured this."""
    folder = request.path.parent.name
    return lambda line: request.node.user_properties.append(("said", f"{folder}: {line}"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out and why, and what was measured."""
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"left out: {report.nodeid}: {report.longrepr[-1]}")
    for report in [*terminalreporter.stats.get("passed", []), *terminalreporter.stats.get("failed", [])]:
        for name, line in report.user_properties if report.when == "call" else ():
            if name == "said":
                terminalreporter.write_line(line)
