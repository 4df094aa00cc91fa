"""Each view in each of its states, by phone and at a desk, in the light and in the dark: nobody is kept out."""

from collections.abc import Awaitable, Callable
from typing import Literal

import pytest
from playwright.async_api import expect

from jobs.model import JsonObject
from tests.web.axe import check_accessible
from tests.web.visit import DESKTOP, WIDER_PHONE, Visit

pytestmark = pytest.mark.asyncio(loop_scope="module")

TRANSCRIPT: JsonObject = {"transcript": "Ann: I want to send my shoes back.\nBo: Of course.\n" * 20}
SYSTEM: JsonObject = {
    "system_id": "battery",
    "analysis_data": {"measurements": [{"time": "2026-01-01T00:00:00Z", "volts": 12}]},
}
COPY: JsonObject = {
    "source": {"connection": "lake", "path": "customers.csv"},
    "destination": {"connection": "desk", "table": "looked_at"},
    "key": ["id"],
}
STALLS = {"openai": "gpt-stall", "anthropic": "claude-stall", "google": "gemini-stall"}
STALLED: JsonObject = {"provider": "openai", "model": "gpt-stall"}
REFUSED: JsonObject = {"provider": "openai", "model": "gpt-400"}


SIZES = (WIDER_PHONE, DESKTOP)
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def _chat(visit: Visit) -> None:
    await _check(visit, "nothing asked")
    await visit.ask_with("Hang, please", **STALLS)
    await expect(visit.card("Google").locator(".answer-text")).to_be_visible()
    await _check(visit, "writing")
    await _stop(visit)
    await _check(visit, "stopped")
    await visit.open("chat")
    await visit.ask("What is a fjord?")
    await visit.see_end()
    await visit.ask("And a skerry?")
    await visit.see_end()
    await _check(visit, "a talk")
    await visit.page.get_by_role("button", name="Wire").click()
    await visit.page.locator(".wire summary").nth(-2).click()
    await _check(visit, "its wire")
    await visit.ask_with("Fail, one of you", openai="gpt", anthropic="claude", google="gemini-400")
    await visit.see_end()
    await _check(visit, "one failed")
    await visit.page.get_by_role("button", name="Recent").click()
    await _check(visit, "recent ones")
    await visit.show("chat", "no-such-job-0123456789")
    await expect(visit.page.get_by_role("alert")).to_be_visible()
    await _check(visit, "gone")


async def _talk(visit: Visit) -> None:
    await visit.ask("What is a fjord?")
    await visit.see_end()
    await visit.open("chat")
    await visit.page.get_by_role("link", name="What is a fjord?").click()
    await expect(visit.page.locator(".earlier .answer-text")).to_have_count(3)
    await _check(visit, "what was said")


async def _imports(visit: Visit) -> None:
    await visit.open("import")
    await _check(visit, "the form")
    await _live(visit, "import", "transcript-to-journey", TRANSCRIPT)


async def _insights(visit: Visit) -> None:
    await visit.open("insights")
    await visit.page.get_by_role("button", name="Use a sample").click()
    await _check(visit, "the form")
    await _live(visit, "insights", "generate-insights", SYSTEM)


async def _copies(visit: Visit) -> None:
    await visit.open("copy")
    await _check(visit, "the form")
    later = await visit.submit("copy-records", COPY, delay=600)
    await visit.show("copy", later["id"])
    await visit.see_end("Scheduled")
    await _check(visit, "scheduled")
    done = await visit.submit("copy-records", COPY)
    await visit.show("copy", done["id"])
    await visit.see_end()
    await expect(visit.page.locator(".rejects li")).to_have_count(1)
    await _check(visit, "done")


async def _summaries(visit: Visit) -> None:
    await visit.open("summaries")
    await _check(visit, "no session")
    await visit.page.get_by_role("button", name="Use a sample").click()
    await visit.page.get_by_role("button", name="Keep the session").click()
    await expect(visit.page.get_by_role("article", name="monday-call")).to_contain_text("stale")
    await _check(visit, "stale")
    await visit.page.get_by_role("button", name="Summarise what is stale").click()
    await visit.see_end()
    await expect(visit.page.get_by_role("article", name="All of them")).to_contain_text("up to date")
    await _check(visit, "summarised")


async def _jobs(visit: Visit) -> None:
    await visit.open("jobs")
    await expect(visit.page.get_by_role("link", name="Ask something")).to_be_visible()
    await _check(visit, "no job")
    refused = await visit.submit("transcript-to-journey", TRANSCRIPT | REFUSED)
    await visit.submit("chat", {"message": "What is a fjord?"})
    await visit.submit("copy-records", COPY, delay=600)
    await visit.show("import", refused["id"])
    await visit.see_end("Failed")
    await visit.open("jobs")
    await expect(visit.page.get_by_role("list", name="Jobs").get_by_role("listitem")).to_have_count(3)
    await visit.page.get_by_role("button", name="Delete Import").click()
    await _check(visit, "some jobs, one about to be deleted")
    await visit.page.context.set_offline(True)
    await expect(visit.page.get_by_text("Offline")).to_be_visible()
    await _check(visit, "offline")
    await visit.page.get_by_label("State").select_option("Waiting")
    await expect(visit.page.get_by_role("alert")).to_be_visible()
    await _check(visit, "no answer")


VIEWS: dict[str, Callable[[Visit], Awaitable[None]]] = {
    "chat": _chat,
    "talk": _talk,
    "import": _imports,
    "insights": _insights,
    "copy": _copies,
    "summaries": _summaries,
    "jobs": _jobs,
}


@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_keeps_nobody_out(visit: Visit, view: str) -> None:
    """In none of its states does axe-core find anything serious, and nothing is wider than the screen."""
    await VIEWS[view](visit)


async def test_what_would_keep_somebody_out_is_found(visit: Visit) -> None:
    """A button without a name, and text that is hardly darker than its paper."""
    await visit.page.evaluate("document.querySelector('main').innerHTML = '<button></button><p>Pale</p>'")
    await visit.page.evaluate("document.querySelector('main p').style.color = '#eee'")

    with pytest.raises(AssertionError, match=r"(?s)button-name.*color-contrast"):
        await check_accessible(visit.page)


async def _live(visit: Visit, view: str, kind: str, given: JsonObject) -> None:
    """A job that hangs, one that succeeds, and one that fails."""
    stalled = await visit.submit(kind, given | STALLED)
    await visit.show(view, stalled["id"])
    await visit.see_end("Running")
    await _check(visit, "running")
    await _stop(visit)
    done = await visit.submit(kind, given)
    await visit.show(view, done["id"])
    await visit.see_end()
    await _check(visit, "done")
    refused = await visit.submit(kind, given | REFUSED)
    await visit.show(view, refused["id"])
    await visit.see_end("Failed")
    await _check(visit, "failed")


async def _stop(visit: Visit) -> None:
    await visit.page.get_by_role("button", name="Stop").click()
    await visit.see_end("Cancelled")


async def _check(visit: Visit, state: str) -> None:
    """By phone and at a desk, in the light and in the dark."""
    for size in SIZES:
        await visit.page.set_viewport_size(size)
        for theme in THEMES:
            await visit.page.emulate_media(color_scheme=theme)
            await check_accessible(visit.page, f"{visit.page.url}, {state}, {size['width']} wide, {theme}")
        widths = await visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], f"{visit.page.url}, {state}: wider than the screen"
