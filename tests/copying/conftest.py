"""What the tests of copies ask for: real servers, once per session, and a copyist on an empty store."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.copying.copyist import Copyist
from tests.copying.destinations import Destination, Mongodb, Postgresql, Sqlite, own_database
from tests.copying.servers import (
    AWS,
    BUCKET,
    PostgresqlServer,
    running_mongodb,
    running_postgresql,
    running_s3,
)
from tests.jobs.doors import Doors

SAID = pytest.StashKey[list[str]]()
DESTINATIONS = ("postgresql", "sqlite", "mongodb", "mongodb-alone")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def mongodb_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with transactions."""
    with running_mongodb(tmp_path_factory.mktemp("mongodb"), transactions=True) as url:
        yield url


@pytest.fixture(scope="session")
def mongodb_alone_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without."""
    with running_mongodb(tmp_path_factory.mktemp("mongodb"), transactions=False) as url:
        yield url


@pytest.fixture(scope="session")
def s3_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an empty bucket; the usual variables lead to it."""
    with running_s3(tmp_path_factory.mktemp("s3")) as endpoint, pytest.MonkeyPatch.context() as patch:
        for name, value in {**AWS, "AWS_ENDPOINT_URL": endpoint}.items():
            patch.setenv(name, value)
        yield f"s3://{BUCKET}"


@pytest.fixture
async def postgresql(postgresql_server: PostgresqlServer) -> AsyncIterator[Postgresql]:
    """A database of the test's own."""
    async with own_database(postgresql_server) as database:
        yield database


@pytest.fixture(params=DESTINATIONS)
async def destination(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Destination]:
    """Each destination in turn, empty."""
    match request.param:
        case "postgresql":
            async with own_database(request.getfixturevalue("postgresql_server")) as database:
                yield database
        case "sqlite":
            yield Sqlite(tmp_path / "destination.db")
        case "mongodb":
            yield Mongodb(request.getfixturevalue("mongodb_url"), f"test_{uuid4().hex}")
        case _:
            yield Mongodb(request.getfixturevalue("mongodb_alone_url"), f"test_{uuid4().hex}")


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """An empty folder for files to copy."""
    folder = tmp_path / "lake"
    folder.mkdir()
    return folder


@pytest.fixture
async def copyist(doors: Doors, lake: Path, destination: Destination) -> Copyist:
    """Who copies from the folder into the destination."""
    variables = {"LAKE": f"file://{lake}", "WAREHOUSE": destination.url}
    return Copyist.of(await doors.running(), doors.client, variables)


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Puts a line into the summary of the whole run."""
    return request.config.stash.setdefault(SAID, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was measured."""
    for line in config.stash.get(SAID, []):
        terminalreporter.write_line(f"copying: {line}")
