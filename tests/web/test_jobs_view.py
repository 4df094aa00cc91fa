"""The list of one's own jobs in a real browser: live, filtered, page by page, and what may be done with each."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.web.visit import Visit

pytestmark = pytest.mark.asyncio(loop_scope="module")

STALLS = {"openai": "gpt-stall", "anthropic": "claude-stall", "google": "gemini-stall"}
COPY = {
    "source": {"connection": "lake", "path": "customers.csv"},
    "destination": {"connection": "desk", "table": "listed"},
    "key": ["id"],
}
REFUSED = {"transcript": "Ann: Hello.\nBo: Hello.", "provider": "openai", "model": "gpt-400"}
LIST = re.compile(r"/v1/jobs\?")
PAGE = 3


async def test_the_list_shows_jobs_of_all_kinds_and_leads_to_their_views(visit: Visit) -> None:
    """Newest first, by what was asked where that is known here, else by their kind."""
    await visit.ask("What is a fjord?")
    await visit.see_end()
    await visit.submit("copy-records", COPY, delay=600)
    await visit.open("jobs")

    await expect(_rows(visit)).to_have_text(
        [_holding("Scheduled", "Copy"), _holding("Done", "What is a fjord?", "Chat")]
    )

    await visit.page.get_by_role("link", name="What is a fjord?").click()
    await visit.see_end()
    await expect(visit.page.get_by_role("heading", level=1)).to_have_text("What is a fjord?")


async def test_a_state_changes_on_the_list_as_it_does_in_the_job(visit: Visit) -> None:
    """Several jobs at once, by one connection, and none has to be asked for again."""
    running = [await visit.submit("chat", {"message": "Hang, please", "models": STALLS}) for _ in range(3)]
    await visit.open("jobs")
    await expect(_rows(visit)).to_have_text([_holding("Running")] * 3)
    await visit.page.route(LIST, lambda route: route.abort())

    for job in running:
        await visit.cancel(job["id"])

    await expect(_rows(visit)).to_have_text([_holding("Cancelled")] * 3)


async def test_a_job_is_stopped_retried_and_deleted_from_the_list(visit: Visit) -> None:
    """Each act shows at once; deleting is asked for twice, and then nothing is left of the job."""
    await visit.submit("chat", {"message": "Hang, please", "models": STALLS})
    await visit.open("jobs")
    row = _rows(visit).first
    await row.get_by_role("button", name="Stop Chat").click()
    await expect(row).to_contain_text("Cancelled")

    await row.get_by_role("button", name="Retry Chat").click()
    await expect(row).to_contain_text("run 2")
    await row.get_by_role("button", name="Stop Chat").click()
    await expect(row).to_contain_text("Cancelled")

    await row.get_by_role("button", name="Delete Chat").click()
    assert len(await visit.jobs()) == 1
    await row.get_by_role("button", name="Delete for good? Chat").click()
    await expect(_rows(visit)).to_have_count(0)
    assert await visit.jobs() == []
    await expect(visit.page.get_by_role("heading", level=1)).to_be_focused()
    await expect(visit.page.get_by_role("main").get_by_role("status")).to_have_text("The job is deleted.")


async def test_the_list_is_narrowed_by_kind_and_state(visit: Visit) -> None:
    """What fits is shown; where nothing does, the way back to all of them."""
    refused = await visit.submit("transcript-to-journey", REFUSED)
    await visit.show("import", refused["id"])
    await visit.see_end("Failed")
    await visit.submit("copy-records", COPY, delay=600)
    await visit.open("jobs")
    await expect(_rows(visit)).to_have_count(2)

    await visit.page.get_by_label("State").select_option("Failed")
    await expect(_rows(visit)).to_have_text([_holding("Failed", "Import of a transcript")])
    await visit.page.get_by_label("Kind").select_option("Copy")
    await expect(visit.page.get_by_text("None of your jobs")).to_be_visible()
    await visit.page.get_by_role("button", name="Show all").click()

    await expect(_rows(visit)).to_have_count(2)


async def test_a_long_list_is_read_page_by_page(visit: Visit) -> None:
    """Older ones follow when they are asked for, each once."""
    await visit.page.route(LIST, lambda route: route.continue_(url=f"{route.request.url}&limit={PAGE}"))
    for _ in range(PAGE + 2):
        await visit.submit("copy-records", COPY, delay=600)
    await visit.open("jobs")
    await expect(_rows(visit)).to_have_count(PAGE)

    await visit.page.get_by_role("button", name="Show older ones").click()

    await expect(_rows(visit)).to_have_count(PAGE + 2)
    links = await _rows(visit).get_by_role("link").evaluate_all("links => links.map(({ hash }) => hash)")
    assert len(set(links)) == PAGE + 2
    await expect(visit.page.get_by_role("button", name="Show older ones")).to_have_count(0)


async def test_a_job_that_another_tab_starts_joins_the_list(visit: Visit) -> None:
    """When the page is seen again at the latest."""
    await visit.open("jobs")
    await expect(visit.page.get_by_role("link", name="Ask something")).to_be_visible()

    await visit.submit("copy-records", COPY, delay=600)
    await visit.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    await expect(_rows(visit)).to_have_text([_holding("Scheduled", "Copy")])


def _rows(visit: Visit) -> Locator:
    return visit.page.get_by_role("list", name="Jobs").get_by_role("listitem")


def _holding(*words: str) -> re.Pattern[str]:
    return re.compile(".*".join(words), re.DOTALL)
