"""One browser for all tests of the page, and a fresh visitor for each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.web.visit import PATIENCE_MILLISECONDS, PHONE, Visit, running_browser, visiting

expect.set_options(timeout=PATIENCE_MILLISECONDS)


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
