"""Models that mean harm: whatever they write, wherever it is cut, stays text on the page."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Frame, Route, expect

from jobs.model import JsonObject
from tests.figures import Say
from tests.web.hostile import HOSTILE, LINKS, MUTANTS, SCRIPTS, SHAPES
from tests.web.visit import Visit, visiting
from tests.web.witnesses import WEB

pytestmark = pytest.mark.asyncio(loop_scope="module")

FOREIGN = WEB / "tests" / "foreign.js"
JOB = "a-job-that-means-harm-01"
NOW = "2026-11-21T22:33:05.123Z"
ALL = "\n\n".join(HOSTILE)
PIECE = 7
SUBMITTED = (SCRIPTS[4], SCRIPTS[8], MUTANTS[0], LINKS[0], LINKS[18], SHAPES[14])
"""What goes all the way through the service; the rest needs no provider to say it."""

JOURNEY = {
    "title": ALL,
    "summary": ALL,
    "personas": [*HOSTILE],
    "stages": [
        {
            "name": each,
            "steps": [
                dict.fromkeys(("title", "description", "actor", "channel", "emotion"), each)
                | {"pain_points": [each], "opportunities": [each], "__proto__": {"polluted": each}}
            ],
        }
        for each in HOSTILE
    ],
    "__proto__": {"polluted": True},
}
INSIGHTS = {
    "summary": ALL,
    "findings": [
        {"title": each, "severity": each, "evidence": [{"call": each, "says": each}], "recommendation": each}
        for each in HOSTILE
    ],
    "constructor": {"prototype": {"polluted": True}},
}
LOOKS = {
    "calls": [{"name": "1.1", "tool": SCRIPTS[0], "arguments": {"metric": SCRIPTS[4], "__proto__": {"polluted": 1}}}],
    "charts": {"<img src=x onerror=alert(1)>": {"times": [1, 2, 3], "means": [1, 2, 3]}},
}
RESULTS = {
    "chat": ("chat", {}),
    "import": ("transcript-to-journey", {"journey": JOURNEY}),
    "insights": ("generate-insights", {"findings": INSIGHTS, "looks": LOOKS}),
    "copy": ("copy-records", {}),
}


async def test_no_cut_makes_more_of_a_hostile_text_than_text(browser: Browser, demo_url: str, say: Say) -> None:
    """Each of them, cut at every place and grown unit by unit, is listed elements alone after each piece, and the
    same in the end as if it had come at once."""
    async with _watched(browser, demo_url) as visit:
        fed = await visit.page.evaluate("texts => feed(texts)", HOSTILE)

    assert fed["found"] == []
    say(f"{len(HOSTILE)} hostile texts, rendered {fed['rendered']} times")


@pytest.mark.parametrize("view", RESULTS)
async def test_a_job_that_means_harm_in_all_its_fields_is_only_read(
    browser: Browser, demo_url: str, view: str
) -> None:
    """Text piece by piece, results, progress, errors, names of parts and steps: no view makes more of them."""
    kind, results = RESULTS[view]
    updates = [*_updates(kind, results)]
    async with _watched(browser, demo_url) as visit:
        await visit.page.route(f"**/v1/jobs/{JOB}/stream*", lambda route: _stream(route, updates))
        await visit.page.evaluate("hash => { location.hash = hash }", f"#/{view}/{JOB}")
        await visit.page.get_by_role("button", name="Wire").click()
        await visit.see_end("Failed")
        await expect(visit.page.locator(".wire li").last).to_contain_text("end")


async def test_hostile_summaries_are_only_read(browser: Browser, demo_url: str) -> None:
    """Of a session and of all of them, with names, notes and hashes."""
    kept = {"summary": ALL, "summary_hash": SCRIPTS[0], "last_summarized_at": NOW, "stale": False, "messages": []}
    tree = {"session_ids": ["a"], "stale_session_ids": [], "high_level_summary": ALL, "high_level_summary_hash": ALL}
    async with _watched(browser, demo_url) as visit:
        await visit.page.route("**/v1/trees/page", lambda route: _answer(route, tree | {"stale": True}))
        await visit.page.route("**/v1/sessions/a", lambda route: _answer(route, kept | {"id": SCRIPTS[4]}))
        await visit.open("summaries")
        await expect(visit.page.locator(".summary-card")).to_have_count(2)


async def test_hostile_texts_that_providers_quote_are_only_read(browser: Browser, demo_url: str) -> None:
    """The whole way: the sandbox quotes the question, in as many pieces as it likes."""
    async with _watched(browser, demo_url) as visit:
        for question in SUBMITTED:
            await visit.open("chat")
            await visit.box.fill(question)
            await visit.page.get_by_role("button", name="Ask", exact=True).click()
            await visit.page.wait_for_function("() => /^#.chat.+/.test(location.hash)")
            await visit.see_end()


@asynccontextmanager
async def _watched(browser: Browser, url: str) -> AsyncIterator[Visit]:
    """A visitor whose page, after every change, held nothing foreign, ran nothing, asked nobody else and stayed."""
    async with visiting(browser, url) as visit:
        page, moved = visit.page, list[str]()
        await page.evaluate(FOREIGN.read_text())
        await page.evaluate("watchForForeign()")
        page.on("framenavigated", lambda frame: _note_move(frame, url, moved))
        yield visit
        assert await page.evaluate("[...new Set(foreign)]") == []
        assert await page.evaluate("[Object.keys(Object.prototype), ({}).polluted ?? null]") == [[], None]
        assert [each.url for each in visit.requests if not each.url.startswith(url)] == []
        assert moved == []
        assert len(page.context.pages) == 1


def _note_move(frame: Frame, url: str, moved: list[str]) -> None:
    if not frame.url.startswith(f"{url}/#/"):
        moved.append(frame.url)


async def _answer(route: Route, told: JsonObject) -> None:
    await route.fulfill(content_type="application/json", body=json.dumps(told))  # lone surrogates stay escaped


async def _stream(route: Route, updates: list[tuple[str, Any]]) -> None:
    """The updates as the service would send them."""
    frames = [
        f"id: 1795301981123456-{seq}\nevent: {event}\ndata: {json.dumps(data)}\n\n"
        for seq, (event, data) in enumerate(updates, 1)
    ]
    await route.fulfill(content_type="text/event-stream", body="".join(frames))


def _updates(kind: str, results: JsonObject) -> list[tuple[str, Any]]:
    """A job that says all of it, a few units at a time, and fails in words of the same sort."""
    parts = ["openai", "__proto__", "constructor", *SCRIPTS[:3]]
    error = {"type": SCRIPTS[0], "title": ALL, "detail": ALL, "retryable": False}
    step = {"name": SCRIPTS[4], "state": "running", "attempt": 2, "started_at": NOW, "finished_at": None}
    progress = {"message": ALL, "percent": 4, "__proto__": {"polluted": True}, "errors": 0}
    ended = {"state": "failed", "result": None, "error": error, "finished_at": NOW, "expires_at": NOW, "parts": {}}
    return [
        ("snapshot", _snapshot(kind)),
        ("progress", progress),
        ("step", step),
        ("step", step | {"name": "answer.analysis:1.1"}),
        *(("part", {"part": name, "state": "running", "model": SCRIPTS[4], "attempt": 1}) for name in parts),
        *(("delta", {"part": "openai", "text": ALL[at : at + PIECE], "at": at}) for at in range(0, len(ALL), PIECE)),
        *(("part", {"part": name, "result": result}) for name, result in results.items()),
        ("part", {"part": "openai", "state": "failed", "error": error, "attempt": 2}),
        ("end", ended),
    ]


def _snapshot(kind: str) -> JsonObject:
    return {
        "id": JOB,
        "kind": kind,
        "state": "running",
        "run": 1,
        "seq": 1,
        "cursor": "1795301981123456-1",
        "attempt": 1,
        "created_at": NOW,
        "started_at": NOW,
        "finished_at": None,
        "elapsed": 1.0,
        "progress": {},
        "parts": {},
        "steps": [],
        "result": None,
        "error": None,
    }
