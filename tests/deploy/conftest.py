"""What the tests of a deployment ask for: a site, and each proxy in front of it."""

from collections.abc import Iterator

import pytest

from tests.chaos.machine import program
from tests.deploy.front import FRONTS, Front, running_front
from tests.deploy.site import Site, running_site
from tests.system import free_port
from tests.valkey import running_valkey


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site on Debian's Redis, shared by all tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("deployed")
    (folder / "store").mkdir()
    redis, port = program("redis-server", "redis-server"), free_port()
    with (
        running_valkey(folder / "store", "--port", str(port), program=redis),
        running_site(folder / "site", f"redis://127.0.0.1:{port}/0") as site,
    ):
        yield site


@pytest.fixture(scope="session", params=FRONTS)
def front(site: Site, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Front]:
    """Each of the proxies in front of that site."""
    folder = tmp_path_factory.mktemp("front") / request.param
    with running_front(FRONTS[request.param], folder, site.ports) as front:
        yield front
