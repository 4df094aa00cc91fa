"""A visit to the operator's view in a real browser: what an operator does there, and what they see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, NamedTuple

from playwright.async_api import Browser, Locator, ViewportSize, expect

from tests.web.visit import DESKTOP, PATIENCE_MILLISECONDS, WIDER_PHONE, Visit

OPERATOR_SECRET = "an-operator-secret-for-tests"


class Look(NamedTuple):
    """How an operator looks at the view."""

    size: ViewportSize
    theme: Literal["light", "dark"]


LOOKS = {
    "phone-light": Look(WIDER_PHONE, "light"),
    "phone-dark": Look(WIDER_PHONE, "dark"),
    "desk-light": Look(DESKTOP, "light"),
    "desk-dark": Look(DESKTOP, "dark"),
}


class Operating(Visit):
    """One operator with a fresh browser, not signed in yet."""

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def connection(self) -> Locator:
        return self.page.locator(".bar .connection")

    @property
    def rows(self) -> Locator:
        """The rows of the table that is looked at, without its head."""
        return self.main.locator("tbody tr")

    async def arrive(self) -> None:
        await self.page.goto(f"{self.url}/operator")
        await expect(self.page.get_by_role("heading", name="Operator")).to_be_visible()

    async def sign_in(self, secret: str = OPERATOR_SECRET) -> None:
        await self.page.get_by_label("Operator's secret").fill(secret)
        await self.page.keyboard.press("Enter")

    async def go(self, place: str) -> None:
        """Go to a place by its address, as from a link that somebody sent."""
        await self.page.evaluate("hash => { location.hash = hash }", f"#/{place}")

    async def open(self, view: str) -> None:
        """Go to a view by its link."""
        await self.page.get_by_role("navigation", name="Views").get_by_role("link", name=view).click()
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(view)

    async def show(self, view: str, job_id: str) -> None:
        """Look at a job."""
        await self.go(f"{view}/{job_id}")
        await expect(self.page.get_by_role("heading", name="What it did")).to_be_visible()

    def row(self, job_id: str) -> Locator:
        """The row of a list that leads to the job."""
        return self.rows.filter(has=self.page.locator(f"a[href='#/jobs/{job_id}']"))

    async def press(self, name: str, *, within: Locator | None = None) -> None:
        await (within or self.page).get_by_role("button", name=name).click()


@asynccontextmanager
async def operating(browser: Browser, url: str, look: Look, *, signed_in: bool = True) -> AsyncIterator[Operating]:
    """An operator; when the block ends, the browser had nothing to complain about, and asked nobody else."""
    context = await browser.new_context(
        viewport=look.size, color_scheme=look.theme, permissions=["clipboard-read", "clipboard-write"]
    )
    try:
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        visit = Operating(page, url)
        await visit.arrive()
        if signed_in:
            await visit.sign_in()
            await expect(visit.connection).to_have_text("Live")
        yield visit
        assert visit.troubles == []
        assert {request.url.startswith(visit.url) for request in visit.requests} == {True}
    finally:
        await context.close()
