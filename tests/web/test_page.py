"""The first page in a real browser, on the whole product: asking, watching, leaving and coming back."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Route, expect

from tests.system import running_system
from tests.web.visit import PHONE, PROVIDERS, Visit, visiting

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_question_is_answered_by_three(visit: Visit) -> None:
    """Each card ends with its state, its figures, and the proof that its text is whole."""
    await visit.ask("How do I learn the cello?")
    await visit.see_end()

    figures = re.compile(r"First token\s*\d.*Total\s*\d.*Tokens\s*\d", re.DOTALL)
    for provider in PROVIDERS:
        await expect(visit.card(provider).locator(".state-mark")).to_have_text("Done")
        await expect(visit.card(provider)).to_contain_text(figures)
        await expect(visit.card(provider)).to_contain_text("intact")


async def test_the_answers_grow_on_the_page(visit: Visit) -> None:
    """Each card shows more and more of its answer, long before all of it is there."""
    question = "Tell me slowly, and all you know. " * 300  # a long question is given a long answer
    await visit.ask_with(question, openai="gpt-slow", anthropic="claude-slow", google="gemini-slow")
    await visit.see_end()

    shown = await visit.page.evaluate("window.shown")
    for provider in PROVIDERS:
        lengths = [len(text) for text in shown[provider.lower()]]
        assert len(lengths) > 3
        assert lengths[0] < lengths[-1]


async def test_what_is_copied_is_what_polling_returns(visit: Visit) -> None:
    """The copy button gives the text as the provider wrote it, Markdown and all."""
    await visit.ask("What makes bread rise?")
    await visit.see_end()

    text = (await visit.polled())["parts"]["google"]["text"]
    await visit.page.get_by_role("button", name="Copy Google").click()

    await visit.page.wait_for_function("async text => await navigator.clipboard.readText() === text", arg=text)


async def test_a_page_that_is_loaded_again_goes_on_with_its_chat(visit: Visit) -> None:
    """Leaving in the middle loses nothing: the question stands there again and every answer becomes whole."""
    await visit.ask("Why do cats purr?")
    await visit.page.reload()

    await visit.see_end()

    await expect(visit.page.get_by_role("heading", level=1)).to_have_text("Why do cats purr?")
    for provider in PROVIDERS:
        await expect(visit.card(provider)).to_contain_text("intact")


async def test_a_double_click_asks_once(visit: Visit) -> None:
    """One submission with a key of its own, however hastily the button is pressed; the next question has another."""
    await visit.box.fill("Why is ice slippery?")
    await visit.page.get_by_role("button", name="Ask", exact=True).dblclick()
    await visit.see_end()
    await visit.ask("And why is glass not?")
    await visit.see_end()

    keys = [body["idempotency_key"] for body in visit.submissions]
    assert len(keys) == len(set(keys)) == 2


async def test_a_question_sent_again_after_a_lost_answer_is_asked_once(visit: Visit) -> None:
    """The page says that the service wasn't reached, keeps the question, and repeats its key."""
    lost = re.compile(r"/v1/jobs$")

    async def lose_the_answer(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await visit.page.route(lost, lose_the_answer, times=3)  # it was sent again by itself, and gave up
    await visit.box.fill("Where do comets come from?")
    await visit.page.get_by_role("button", name="Ask", exact=True).click()
    await expect(visit.page.get_by_role("alert")).to_contain_text("be reached")

    await visit.page.get_by_role("button", name="Ask", exact=True).click()
    await visit.see_end()

    first, *others = visit.submissions
    assert others == [first] * 3
    assert [job["id"] for job in await visit.jobs()] == [(await visit.polled())["id"]]


async def test_a_refused_question_is_explained_and_kept(visit: Visit) -> None:
    """What the service objects to stands at the box, and the question is still in it."""
    question = "€" * 360_000
    await visit.box.fill(question)
    await visit.box.press("Control+Enter")

    await expect(visit.page.get_by_role("alert")).to_contain_text("large")
    await expect(visit.box).to_have_value(question)


async def test_a_provider_that_fails_leaves_the_others_alone(visit: Visit) -> None:
    """Its card says what went wrong, in words; the others are done, and so is the chat."""
    await visit.ask_with("One of you fails", openai="gpt", anthropic="claude", google="gemini-400")
    await visit.see_end()

    await expect(visit.card("Google").locator(".state-mark")).to_have_text("Failed")
    await expect(visit.card("Google")).to_contain_text("400")
    await expect(visit.card("OpenAI").locator(".state-mark")).to_have_text("Done")
    await expect(visit.card("Anthropic").locator(".state-mark")).to_have_text("Done")


async def test_a_provider_that_is_asked_again_says_so(visit: Visit) -> None:
    """A first try that was cut is told while it is repeated, and counted when the second succeeds."""
    question = f"Please stumble once, {uuid4()}"  # the sandbox remembers what it has refused
    await visit.ask_with(question, openai="gpt-sandbox-cutx1", anthropic="claude", google="gemini")

    await visit.see_end()

    await expect(visit.card("OpenAI")).to_contain_text("Took 2 attempts.")
    await expect(visit.card("OpenAI").locator(".state-mark")).to_have_text("Done")


async def test_a_chat_is_stopped_from_the_page(visit: Visit) -> None:
    """Answers that hang are given up, and each card says so."""
    await visit.ask_with("Hang, please", openai="gpt-stall", anthropic="claude-stall", google="gemini-stall")
    for provider in PROVIDERS:
        await expect(visit.card(provider).locator(".answer-text")).to_be_visible()

    await visit.page.get_by_role("button", name="Stop").click()
    await visit.see_end("Cancelled")

    for provider in PROVIDERS:
        await expect(visit.card(provider).locator(".state-mark")).to_have_text("Cancelled")


async def test_a_page_that_is_refused_its_stream_gets_the_answers_all_the_same(visit: Visit) -> None:
    """Where EventSource gives up for good, asking brings what the stream would have brought."""
    await visit.page.route("**/stream*", lambda route: route.fulfill(status=500))

    await visit.ask("What is a fugue?")

    await visit.see_end()
    for provider in PROVIDERS:
        await expect(visit.card(provider)).to_contain_text("intact")


async def test_the_wire_shows_every_update_that_came(visit: Visit) -> None:
    """As many lines as updates were counted, from the snapshot to the end; a line opens to its frame."""
    await visit.ask("What is a spline?")
    await visit.page.get_by_role("button", name="Wire").click()
    await visit.see_end()

    lines = visit.page.locator(".wire li")
    count = int((await visit.page.locator(".job-count").inner_text()).split()[0])
    await expect(lines).to_have_count(min(count, 300))
    await expect(lines.last).to_contain_text("end")
    await lines.last.locator("summary").click()
    await expect(lines.last).to_contain_text("event: end")


async def test_earlier_chats_are_found_again(visit: Visit) -> None:
    """The list holds what was asked from this browser and how it ended, and leads back to it."""
    await visit.ask("What is a glacier?")
    await visit.see_end()
    await visit.page.get_by_role("link", name="Chat", exact=True).click()
    await expect(visit.page.get_by_role("heading", level=1)).to_contain_text("three answers")

    await visit.page.get_by_role("button", name="Recent").click()
    await visit.page.get_by_role("link", name=re.compile("What is a glacier.*Done")).click()

    await visit.see_end()
    await expect(visit.page.get_by_role("heading", level=1)).to_have_text("What is a glacier?")


async def test_a_chat_that_is_gone_says_so(visit: Visit) -> None:
    """An unknown or expired id is told in words, with the way to a new chat."""
    await visit.page.goto(f"{visit.url}/#/chat/no-such-job-0123456789")
    await expect(visit.page.get_by_role("alert")).to_contain_text("This chat is gone")

    await visit.page.get_by_role("link", name="Start anew").click()

    await expect(visit.page.get_by_role("heading", level=1)).to_contain_text("three answers")


async def test_the_page_is_worked_by_keyboard_alone(visit: Visit) -> None:
    """The box has the focus at first; keys send the question, open the wire and close it."""
    await visit.page.keyboard.type("What is a monad?")
    await visit.page.keyboard.press("Control+Enter")
    await visit.see_end()

    wire = visit.page.get_by_role("button", name="Wire")
    for _ in range(20):
        await visit.page.keyboard.press("Shift+Tab")
        if await wire.evaluate("button => button === document.activeElement"):
            break
    await visit.page.keyboard.press("Enter")

    await expect(visit.page.locator(".wire")).to_be_visible()
    await visit.page.keyboard.press("Enter")
    await expect(visit.page.locator(".wire")).to_have_count(0)


async def test_states_are_told_to_those_who_listen(visit: Visit) -> None:
    """A screen reader hears how each provider stands, and not every word."""
    await visit.ask("What is a quasar?")
    await visit.see_end()

    states = visit.page.get_by_role("main").get_by_role("status")
    await expect(states).to_have_text("OpenAI: Done. Anthropic: Done. Google: Done.")


async def test_a_small_phone_shows_all_of_it(visit_by_phone: Visit) -> None:
    """Nothing is wider than the screen: not the welcome, not three answers, not the wire."""
    visit, width = visit_by_phone, "document.documentElement.scrollWidth"
    assert await visit.page.evaluate(width) == PHONE["width"]

    await visit.ask("What is an-extraordinarily-long-word-without-any-space-in-it-at-all?")
    await visit.see_end()
    await visit.page.get_by_role("button", name="Wire").click()

    assert await visit.page.evaluate(width) == PHONE["width"]


async def test_a_page_whose_service_is_killed_goes_on_when_it_is_back(browser: Browser, tmp_path: Path) -> None:
    """It says that it has lost the service, and at the end every answer is whole; nothing had to be pressed."""
    with running_system(tmp_path, pace=0.2) as system:
        async with visiting(browser, system.url.replace("127.0.0.1", "localhost")) as visit:
            await visit.ask_with("Tell me slowly", openai="gpt-slow", anthropic="claude-slow", google="gemini-slow")
            await expect(visit.card("OpenAI").locator(".answer-text")).to_be_visible()

            system.api.kill()
            await expect(visit.page.locator(".connection")).to_have_text("Reconnecting")
            spell = visit.page.get_by_role("status", name="Connection")
            await expect(spell).to_contain_text("Connection lost")
            system.api.start()
            await expect(spell).to_contain_text("Back again")
            await visit.see_end()

            for provider in PROVIDERS:
                await expect(visit.card(provider)).to_contain_text("intact")
