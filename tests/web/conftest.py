"""One browser and one product for all tests of the page, and a fresh visitor for each."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.system import System, running_system
from tests.web.visit import PATIENCE_MILLISECONDS, PHONE, Visit, running_browser, visiting

expect.set_options(timeout=PATIENCE_MILLISECONDS)

CUSTOMERS = ["id,name", *(f"{number},Customer {number}" for number in range(1, 2501)), ",Nobody"]


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A product with something to copy, and somewhere to copy it to."""
    folder = tmp_path_factory.mktemp("views")
    (folder / "lake").mkdir()
    (folder / "lake" / "customers.csv").write_text("\n".join(CUSTOMERS))
    settings = {
        "JOBSTREAM_CONNECTION_LAKE": f"file://{folder}/lake",
        "JOBSTREAM_CONNECTION_DESK": f"sqlite://{folder}/desk.sqlite",
    }
    with running_system(folder, settings=settings) as product:
        yield product


@pytest.fixture(scope="session")
def demo_url(product: System) -> str:
    """Where its page is served."""
    return product.url.replace("127.0.0.1", "localhost")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """The browser, without a visitor yet; it lives, as its visitors do, in the event loop of the module."""
    async with running_browser(chromium) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser, demo_url: str) -> AsyncIterator[Visit]:
    """Somebody who opens the page for the first time, at a desk."""
    async with visiting(browser, demo_url) as visit:
        yield visit


@pytest_asyncio.fixture(loop_scope="module")
async def visit_by_phone(browser: Browser, demo_url: str) -> AsyncIterator[Visit]:
    """Somebody who opens the page for the first time, on a small phone."""
    async with visiting(browser, demo_url, PHONE) as visit:
        yield visit
