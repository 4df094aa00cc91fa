"""Spells without a network, and text that grows under somebody's eyes: calm, and without a jump."""

import pytest
from playwright.async_api import Browser, expect

from tests.web.visit import PROVIDERS, WIDER_PHONE, Visit, visiting

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = "Tell me slowly, and all you know. " * 300
SLOW = {"openai": "gpt-slow", "anthropic": "claude-slow", "google": "gemini-slow"}

NOTE_LAYOUT = """() => {
  window.layout = {};
  const look = () => {
    for (const card of document.querySelectorAll('.answer-card')) {
      const { top, height } = card.getBoundingClientRect();
      (window.layout[card.dataset.provider] ??= []).push([Math.round(top + scrollY), Math.round(height)]);
    }
    requestAnimationFrame(look);
  };
  look();
}"""

AT_END = "() => scrollY > 0 && document.documentElement.scrollHeight - scrollY - innerHeight < 40"
GROWN = "before => document.querySelector('main').innerText.length > before + 200"
LENGTH = "document.querySelector('main').innerText.length"


async def test_a_page_that_loses_the_network_says_so_calmly_and_misses_nothing(visit: Visit) -> None:
    """In the middle of three answers: a word while it is offline, a word when it is back, and every text is whole."""
    await visit.ask_with(LONG, **SLOW)
    await expect(visit.card("Google").locator(".answer-text")).to_be_visible()
    connection = visit.page.get_by_role("status", name="Connection")
    await expect(connection).to_be_empty()

    await visit.page.context.set_offline(True)
    await expect(connection).to_contain_text("Offline")
    await visit.page.context.set_offline(False)

    await expect(connection).to_contain_text("Back again")
    await visit.see_end()
    await expect(connection).to_be_empty()
    for provider in PROVIDERS:
        await expect(visit.card(provider)).to_contain_text("intact")


async def test_a_question_asked_offline_is_kept_and_asked_once_when_there_is_a_network(visit: Visit) -> None:
    """It stays in the box with the reason; sending it again is one chat."""
    await visit.page.context.set_offline(True)
    await visit.box.fill("What is a fjord?")
    await visit.page.get_by_role("button", name="Ask", exact=True).click()
    await expect(visit.page.get_by_role("alert")).to_contain_text("be reached")
    await expect(visit.box).to_have_value("What is a fjord?")

    await visit.page.context.set_offline(False)
    await visit.page.get_by_role("button", name="Ask", exact=True).click()
    await visit.see_end()

    assert len(await visit.jobs()) == 1


async def test_no_card_jumps_while_its_answer_is_written(visit: Visit) -> None:
    """Beside each other, cards stay at their height on the page, and only ever become longer."""
    await visit.page.evaluate(NOTE_LAYOUT)
    await visit.ask_with(LONG, **SLOW)
    await visit.see_end()

    layout = await visit.page.evaluate("layout")
    for provider in PROVIDERS:
        tops, heights = zip(*layout[provider.lower()], strict=True)
        assert len(set(heights)) > 3
        assert len(set(tops)) == 1
        assert [*heights] == sorted(heights)


async def test_who_reads_at_the_end_stays_there_and_nobody_else_is_moved(browser: Browser, demo_url: str) -> None:
    """By phone: the page follows its growing end only for whoever has scrolled there."""
    async with visiting(browser, demo_url, WIDER_PHONE) as visit:
        page = visit.page
        await visit.ask_with(LONG, **SLOW)
        await page.wait_for_function(GROWN, arg=0)
        assert await page.evaluate("scrollY") == 0

        await page.evaluate("scrollTo({ top: document.documentElement.scrollHeight, behavior: 'instant' })")
        await page.wait_for_function(GROWN, arg=await page.evaluate(LENGTH))
        await page.wait_for_function(AT_END)

        await page.evaluate("scrollTo({ top: 100, behavior: 'instant' })")
        await page.wait_for_function(GROWN, arg=await page.evaluate(LENGTH))
        assert await page.evaluate("scrollY") == 100
