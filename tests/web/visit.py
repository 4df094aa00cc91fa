"""A visit to the page in a real browser: what a person does there, and what they see."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Dialog, Locator, Page, Request, ViewportSize, async_playwright, expect

PATIENCE_MILLISECONDS = 60_000
DESKTOP = ViewportSize(width=1280, height=860)
PHONE = ViewportSize(width=360, height=740)
WIDER_PHONE = ViewportSize(width=390, height=844)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
UNREACHED = ("Failed to load resource", "WebSocket connection to")
"""What a browser says of a service that is away or refuses: tests have it do so."""

PROVIDERS = ("OpenAI", "Anthropic", "Google")

NOTE_WHAT_IS_SHOWN = """
window.shown = {};
new MutationObserver(() => {
  for (const card of document.querySelectorAll('.answer-card')) {
    const text = card.querySelector('.answer-text')?.innerText ?? '';
    const seen = (window.shown[card.dataset.provider] ??= []);
    if (text && text !== seen.at(-1)) seen.push(text);
  }
}).observe(document, {childList: true, characterData: true, subtree: true});
"""


class Visit:
    """One visitor with a fresh browser; `troubles` is what the browser complained about."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.troubles: list[str] = []
        self.requests: list[Request] = []
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", self._see)
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108  # it must be a function

    @property
    def box(self) -> Locator:
        return self.page.get_by_label("Your question")

    @property
    def state(self) -> Locator:
        return self.page.locator(".job-bar .state-mark")

    @property
    def submissions(self) -> list[Any]:
        """What the page sent as submissions, so far."""
        submitted = (request for request in self.requests if request.method == "POST")
        return [request.post_data_json for request in submitted if request.url.endswith("/v1/jobs")]

    def card(self, provider: str) -> Locator:
        return self.page.get_by_role("article", name=provider)

    async def another(self) -> "Visit":
        """One more tab of the same visitor, on the page."""
        tab = Visit(await self.page.context.new_page(), self.url)
        tab.page.set_default_timeout(PATIENCE_MILLISECONDS)
        await tab.arrive()
        return tab

    async def arrive(self) -> None:
        await self.page.goto(self.url)
        await expect(self.box).to_be_visible()

    async def open(self, view: str) -> None:
        """Go to a view by its link."""
        await self.page.get_by_role("navigation", name="Views").get_by_role("link", name=view.title()).click()
        await self.page.wait_for_function("home => location.hash === home", arg=f"#/{view}")

    async def ask(self, question: str) -> None:
        await self.box.fill(question)
        await self.page.get_by_role("button", name="Ask", exact=True).click()
        await expect(self.page.get_by_role("heading", level=1)).to_contain_text(question[:20])

    async def ask_with(self, question: str, **models: str) -> None:
        """Submit as the page does, to models whose names make the sandbox slow or fail, and look at that chat."""
        job = await self.submit("chat", {"message": question, "models": models})
        await self.show("chat", job["id"])

    async def submit(self, kind: str, given: dict[str, Any], **more: Any) -> Any:
        """A job of this visitor that the page isn't told of."""
        return await self._fetch("/v1/jobs", {"kind": kind, "input": given, **more})

    async def cancel(self, job_id: str) -> None:
        """Not by the page."""
        await self._fetch(f"/v1/jobs/{job_id}/cancel", {})

    async def show(self, view: str, job_id: str) -> None:
        """Look at a job in its view."""
        await self.page.evaluate("hash => { location.hash = hash }", f"#/{view}/{job_id}")

    async def see_end(self, word: str = "Done") -> None:
        await expect(self.state).to_have_text(word)

    async def polled(self) -> Any:
        """The job that the page shows, as polling returns it."""
        return await self._fetch("/v1/jobs/" + self.page.url.rpartition("/")[2])

    async def jobs(self) -> list[Any]:
        """All jobs of this visitor."""
        listed = await self._fetch("/v1/jobs")
        return list(listed["items"])

    async def _fetch(self, path: str, body: dict[str, Any] | None = None) -> Any:
        post = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
        script = "async ([path, init]) => (await fetch(path, init)).json()"
        return await self.page.evaluate(script, [path, {} if body is None else post])

    async def _see(self, dialog: Dialog) -> None:
        self.troubles.append(dialog.message)
        await dialog.dismiss()

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(UNREACHED):
            self.troubles.append(text)


@asynccontextmanager
async def running_browser(chromium: Path) -> AsyncIterator[Browser]:
    """Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, url: str, size: ViewportSize = DESKTOP) -> AsyncIterator[Visit]:
    """A visitor who has never been here; the browser had nothing to complain about when the block ends."""
    context = await browser.new_context(viewport=size, permissions=["clipboard-read", "clipboard-write"])
    try:
        await context.add_init_script(NOTE_WHAT_IS_SHOWN)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        visit = Visit(page, url)
        await visit.arrive()
        yield visit
        assert visit.troubles == []
    finally:
        await context.close()
