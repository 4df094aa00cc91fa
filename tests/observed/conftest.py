"""A product of this folder's own, which is watched, and a day of its life."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.api import Api
from tests.observed.collector import collecting
from tests.observed.day import Day, live_through
from tests.observed.watched import OPERATOR_SECRET, Watched
from tests.system import SECRET, free_port, running_system


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The product, while both of its processes can be asked."""
    at = f"127.0.0.1:{free_port()}"
    with collecting() as collector:
        settings = {
            "JOBSTREAM_OPERATOR_SECRET": OPERATOR_SECRET,
            "JOBSTREAM_WORKER_METRICS": at,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with running_system(tmp_path_factory.mktemp("watched"), pace=0.2, settings=settings) as product:
            yield Watched(product, collector, f"http://{at}")


@pytest.fixture(scope="session")
def day(watched: Watched) -> Day:
    """The day, lived through once."""
    return asyncio.run(live_through(watched))


@pytest.fixture
async def caller(watched: Watched) -> AsyncIterator[Api]:
    """Who asks the product's API, with the service secret."""
    async with Api(watched.product.url, SECRET) as caller:
        yield caller
