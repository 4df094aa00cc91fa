"""The views beside the first one in a real browser: imports, summaries, insights, copies, and talks that go on."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.web.visit import PHONE, Visit, visiting

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEWS = ("chat", "import", "summaries", "insights", "copy", "jobs")


async def test_a_transcript_becomes_a_journey_that_outlives_a_reload(visit: Visit) -> None:
    """Stages as columns, steps as cards, and all of them there again after the page is loaded anew."""
    page = visit.page
    await visit.open("import")
    await page.get_by_label("Transcript").fill("Ann: I want to send my shoes back.\nBo: Of course.\n" * 20)
    await page.get_by_role("button", name="Import", exact=True).click()
    await visit.see_end()

    stages = await page.locator(".stage h3").all_inner_texts()
    cards = await page.locator(".step-card").count()
    await page.reload()
    await visit.see_end()

    assert len(stages) > 1
    assert cards >= len(stages)
    assert await page.locator(".stage h3").all_inner_texts() == stages
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ann: I want to send my shoes back.")


async def test_a_diagram_is_shown_before_it_is_sent_and_becomes_a_journey(visit: Visit, tmp_path: Path) -> None:
    """The picture is drawn from the file itself; its name is the import's."""
    page = visit.page
    picture = await page.screenshot(path=tmp_path / "shop.png")
    assert picture
    await visit.open("import")
    await page.locator("input[type=file]").set_input_files(tmp_path / "shop.png")
    await expect(page.get_by_role("img", name="The diagram")).to_be_visible()

    await page.get_by_role("button", name="Import", exact=True).click()
    await visit.see_end()

    await expect(page.get_by_role("heading", level=1)).to_have_text("shop.png")
    await expect(page.locator(".step-card").first).to_be_visible()


async def test_what_is_no_picture_is_refused_in_words(visit: Visit, tmp_path: Path) -> None:
    """The form stays as it is, and says why."""
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    await visit.open("import")
    await visit.page.locator("input[type=file]").set_input_files(tmp_path / "broken.png")

    await visit.page.get_by_role("button", name="Import", exact=True).click()

    await expect(visit.page.get_by_role("alert")).to_contain_text("image")
    await expect(visit.page.get_by_text("broken.png")).to_be_visible()


async def test_a_session_is_summarised_with_its_hash_and_is_stale_when_it_changes(visit: Visit) -> None:
    """Its card says of which content the summary is and how old; all of them have one of their own."""
    page = visit.page
    await visit.open("summaries")
    await page.get_by_role("button", name="Use a sample").click()
    await page.get_by_role("button", name="Keep the session").click()
    card = page.get_by_role("article", name="monday-call")
    await expect(card).to_contain_text("stale")

    await page.get_by_role("button", name="Summarise what is stale").click()
    await visit.see_end()
    await expect(card).to_contain_text(re.compile(r"up to date.*of [0-9a-f]{8}.*(ago|now)", re.DOTALL))
    await expect(page.get_by_role("article", name="All of them")).to_contain_text("up to date")

    await page.get_by_label("Who said what").fill("Ada: Friday it is.")
    await page.get_by_label("Session").fill("monday-call")
    await page.get_by_role("button", name="Keep the session").click()

    await expect(card).to_contain_text("stale")


async def test_an_analysis_shows_its_steps_its_looks_and_what_it_found(visit: Visit) -> None:
    """Each turn and each call of a tool is a line, each metric that was looked at a chart."""
    page = visit.page
    await visit.open("insights")
    await page.get_by_role("button", name="Use a sample").click()
    await page.get_by_role("button", name="Analyse").click()
    await visit.see_end()

    steps = page.get_by_role("list", name="Steps")
    await expect(steps).to_contain_text(re.compile("Think, turn 1.*list_metrics.*Write the findings", re.DOTALL))
    await expect(page.locator(".finding").first).to_contain_text("tool.")
    await expect(page.locator(".chart canvas").first).to_be_visible()


async def test_a_copy_counts_its_records_and_shows_what_it_set_aside(visit: Visit) -> None:
    """A second one updates what the first has inserted."""
    page = visit.page
    for inserted, updated in ((2500, 0), (0, 2500)):
        await visit.open("copy")
        await page.get_by_role("button", name="Copy", exact=True).click()
        await visit.see_end()

        counters = [await page.locator(f"[data-counter={name}] dd").inner_text() for name in ("inserted", "updated")]
        assert counters == [f"{inserted:,}", f"{updated:,}"]
        await expect(page.get_by_role("region", name="Set aside")).to_contain_text("Nobody")


async def test_a_talk_goes_on_where_it_was(visit: Visit) -> None:
    """Each provider has read its earlier turns, which the page shows again."""
    await visit.ask("What is a fjord?")
    await visit.see_end()

    await visit.ask("And a skerry?")
    await visit.see_end()

    await expect(visit.card("OpenAI")).to_contain_text("2 earlier turns")
    earlier = visit.page.get_by_role("list", name="Earlier in this conversation")
    await expect(earlier).to_contain_text("What is a fjord?")
    await visit.page.reload()
    await expect(earlier).to_contain_text("What is a fjord?")


async def test_a_talk_is_gone_on_with_when_its_chats_are_gone(visit: Visit) -> None:
    """It is found on the first page by its first question, and its providers remember."""
    await visit.ask("What is a fjord?")
    await visit.see_end()
    await visit.open("jobs")
    await visit.page.get_by_role("button", name="Delete What is a fjord?").click()
    await visit.page.get_by_role("button", name="Delete for good?").click()
    await expect(visit.page.get_by_role("link", name="Ask something")).to_be_visible()
    await visit.open("chat")

    await visit.page.get_by_role("link", name=re.compile("What is a fjord?.*1 round")).click()
    await expect(visit.page.locator(".earlier .answer-text").nth(2)).to_be_visible()
    await visit.ask("And a skerry?")
    await visit.see_end()

    await expect(visit.card("OpenAI")).to_contain_text("2 earlier turns")


async def test_a_talk_is_forgotten(visit: Visit) -> None:
    """Once it was asked for twice; no trace of it is on the first page."""
    await visit.ask("What is a fjord?")
    await visit.see_end()
    await visit.open("chat")
    await visit.page.get_by_role("link", name="What is a fjord?").click()

    await visit.page.get_by_role("button", name="Forget it").click()
    await visit.page.get_by_role("button", name="Forget for good?").click()

    await expect(visit.page.get_by_role("heading", level=1)).to_contain_text("three answers")
    await expect(visit.page.get_by_role("link", name="What is a fjord?")).to_have_count(0)


async def test_one_answer_is_asked_for_again(visit: Visit) -> None:
    """The others stay as they are."""
    await visit.ask("What is a moraine?")
    await visit.see_end()
    kept = await visit.card("Anthropic").locator(".answer-text").inner_text()

    await visit.card("Google").get_by_role("button", name="Ask again").click()
    await expect(visit.card("Google")).to_contain_text("Took 2 attempts")
    await visit.see_end()

    assert await visit.card("Anthropic").locator(".answer-text").inner_text() == kept
    await expect(visit.card("Google")).to_contain_text("intact")


async def test_all_of_it_is_done_by_phone_in_the_dark(visit_by_phone: Visit, tmp_path: Path) -> None:
    """Asked and asked further, imported as text and as a picture, analysed, copied, summarised, and listed."""
    visit, page = visit_by_phone, visit_by_phone.page
    await page.emulate_media(color_scheme="dark")
    await visit.ask("What is a fjord?")
    await visit.see_end()
    await visit.ask("And a skerry?")
    await visit.see_end()
    await visit.open("import")
    await page.get_by_label("Transcript").fill("Ann: I want to send my shoes back.\nBo: Of course.\n" * 20)
    await page.get_by_role("button", name="Import", exact=True).click()
    await visit.see_end()
    await page.screenshot(path=tmp_path / "shop.png")
    await visit.open("import")
    await page.locator("input[type=file]").set_input_files(tmp_path / "shop.png")
    await page.get_by_role("button", name="Import", exact=True).click()
    await visit.see_end()
    await visit.open("insights")
    await page.get_by_role("button", name="Use a sample").click()
    await page.get_by_role("button", name="Analyse").click()
    await visit.see_end()
    await visit.open("copy")
    await page.get_by_label("Table").fill("by_phone")
    await page.get_by_role("button", name="Copy", exact=True).click()
    await visit.see_end()
    await visit.open("summaries")
    await page.get_by_role("button", name="Use a sample").click()
    await page.get_by_role("button", name="Keep the session").click()
    await page.get_by_role("button", name="Summarise what is stale").click()
    await visit.see_end()

    await visit.open("jobs")

    rows = page.get_by_role("list", name="Jobs").get_by_role("listitem")
    await expect(rows.filter(has_text="Done")).to_have_count(8)  # the one of all sessions began one of the session


@pytest.mark.parametrize("view", VIEWS)
async def test_no_view_is_wider_than_a_phone(browser: Browser, demo_url: str, view: str) -> None:
    """Nothing has to be scrolled sideways to be read."""
    async with visiting(browser, demo_url, PHONE) as visit:
        await visit.open(view)

        widths = await visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")

    assert widths[0] <= widths[1]
