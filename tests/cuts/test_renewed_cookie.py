"""A job that lasts longer than the cookie by which it is watched."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from playwright.async_api import Page, Route

from jobs.model import JsonObject
from tests.api import Api
from tests.cuts.author import Author, PatientDoors, new_author
from tests.cuts.processes import running_api
from tests.figures import Say
from tests.system import SECRET
from tests.transports.reference import held_after, told
from tests.valkey import ValkeyProcess
from tests.web.visit import running_browser

WATCH_SECONDS = float(os.environ.get("JOBSTREAM_WATCH_SECONDS", "0"))
"""How long the job lasts, at least."""

COOKIE_SECONDS = int(os.environ.get("JOBSTREAM_WATCH_COOKIE", "12"))
"""How long each cookie lives; the page has a new one four times as often."""

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.1 if WATCH_SECONDS < 60 else 1.0
BLANK = "<!doctype html><title>A page of the app</title>"

WATCH = """path => {
  window.heard = [];
  window.farewells = [];
  window.opened = 0;
  window.source = new EventSource(path);
  source.addEventListener('open', () => { opened += 1 });
  for (const name of ['snapshot', 'state', 'progress', 'step', 'part', 'delta', 'end'])
    source.addEventListener(name, event => heard.push([event.lastEventId, name, JSON.parse(event.data)]));
  for (const name of ['bye', 'problem'])
    source.addEventListener(name, event => farewells.push(JSON.parse(event.data).reason ?? event.data));
}"""
SIGN_IN = (
    "token => fetch('/v1/session', {method: 'POST', headers: {Authorization: `Bearer ${token}`}}).then(r => r.status)"
)
TAKEN = "() => heard.splice(0)"
CLOSED = "() => source.readyState === EventSource.CLOSED"


class Watcher:
    """A page that watches one job by one EventSource, and what it holds of it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.held: JsonObject = {}
        self.reasons: list[str] = []
        self.updates = 0

    async def fold(self) -> None:
        """Take in what was heard since; an update that is missing or comes twice is an error."""
        for cursor, event, data in await self.page.evaluate(TAKEN):
            if event == "snapshot":
                self.reasons.append(data["reason"])
            self.held = held_after(self.held, cursor, event, data)
            self.updates += 1

    async def farewells(self) -> list[Any]:
        """Why it was sent away or refused, so far."""
        return list(await self.page.evaluate("() => farewells"))


async def renew(server: Api, page: Page) -> None:
    """Give the page another cookie, as its app does."""
    body = {"subject": "visitor", "scopes": ["read"], "ttl": COOKIE_SECONDS}
    minted = await server.http.post("/v1/tokens", json=body)
    assert await page.evaluate(SIGN_IN, minted.json()["token"]) == 204


async def live(author: Author, watcher: Watcher) -> None:
    """Write until the watcher was sent away and is back, and the time is over."""
    end = time.monotonic() + WATCH_SECONDS
    back = None
    while time.monotonic() < end or back is None or watcher.held["seq"] < back:
        await author.go_on()
        await asyncio.sleep(PAUSE_SECONDS)
        await watcher.fold()
        if back is None and await watcher.farewells():
            back = author.seq
    await author.end()


async def keep_signed_in(server: Api, page: Page) -> None:
    while True:
        await asyncio.sleep(COOKIE_SECONDS / 4)
        await renew(server, page)


async def test_a_job_outlives_the_cookies_of_the_one_event_source_that_watches_it(
    chromium: Path, tmp_path: Path, own_store: ValkeyProcess, own_doors: PatientDoors, say: Say
) -> None:
    """It is sent away when its first cookie ends, comes back by itself with a newer one, and misses nothing."""
    async with (
        running_api(tmp_path / "api", own_store) as system,
        Api(system.url, SECRET) as server,
        running_browser(chromium) as browser,
    ):
        author = await new_author(server, own_doors, subject="visitor")
        page = await browser.new_page()
        page.set_default_timeout(1000 * PATIENCE_SECONDS)
        await page.route("**/app", _serve_blank)
        await page.goto(system.url.replace("127.0.0.1", "localhost") + "/app")
        watcher = Watcher(page)
        await renew(server, page)
        await page.evaluate(WATCH, f"/v1/jobs/{author.job_id}/stream")
        began = time.monotonic()

        async with asyncio.TaskGroup() as tasks:
            renewing = tasks.create_task(keep_signed_in(server, page))
            async with asyncio.timeout(WATCH_SECONDS + PATIENCE_SECONDS):
                await live(author, watcher)
            await page.wait_for_function(CLOSED)  # by the 204 that tells it to stop
            renewing.cancel()
        await watcher.fold()

        farewells, opened = await watcher.farewells(), await page.evaluate("() => opened")
        polled = told(await server.poll(author.job_id))
    say(
        f"a job of {time.monotonic() - began:.0f} s watched by one EventSource, cookies of {COOKIE_SECONDS} s: "
        f"{watcher.updates} updates, {opened} connections, sent away {len(farewells)} times"
    )
    assert watcher.held == polled
    assert watcher.reasons == ["initial"]
    assert set(farewells) == {"unauthorized"}


async def _serve_blank(route: Route) -> None:
    await route.fulfill(body=BLANK, content_type="text/html")
