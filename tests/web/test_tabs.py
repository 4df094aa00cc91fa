"""Several tabs of the page in one browser: one connection for all of them, whoever is closed, crashes or sleeps."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Error, Page, expect

from tests.jobs.patience import until
from tests.web.gate import Gate, Road, Rule, open_gate
from tests.web.visit import Visit, visiting

pytestmark = pytest.mark.asyncio(loop_scope="module")

TABS = 6
"""As many connections as a browser has to one host over HTTP/1.1."""

STALLED = {"openai": "gpt-stall", "anthropic": "claude-stall", "google": "gemini-stall"}

NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined })"


@pytest_asyncio.fixture(loop_scope="module")
async def gate(demo_url: str) -> AsyncIterator[Gate]:
    """A proxy before the product, which knows how many streams are open."""
    async with open_gate(demo_url.replace("localhost", "127.0.0.1")) as gate:
        yield gate


@pytest_asyncio.fixture(loop_scope="module")
async def tab(browser: Browser, gate: Gate) -> AsyncIterator[Visit]:
    """The first tab of a visitor."""
    async with visiting(browser, gate.url.replace("127.0.0.1", "localhost")) as visit:
        yield visit


async def test_the_seventh_tab_still_loads_and_each_of_the_six_shows_its_own_job(tab: Visit, gate: Gate) -> None:
    """All have one stream together; without a share in it the six would have taken every connection."""
    tabs = [tab, *[await tab.another() for _ in range(TABS - 1)]]
    for each in tabs:
        await _begin(each)

    await _until_only(gate, Road.STREAM)
    seventh = await tab.another()
    await seventh.ask("Is there room for one more?")
    await seventh.see_end()

    jobs = {each.page.url for each in tabs}
    for each in tabs:
        await _end(each)
        assert await _shown(each) == (await each.polled())["parts"]["openai"]["text"][:20]
    assert len(jobs) == TABS
    assert gate.taken[Road.SOCKET] == gate.open[Road.STREAM] == 0
    assert [trouble for each in [*tabs, seventh] for trouble in each.troubles] == []


async def _close(page: Page) -> None:
    await page.close()


async def _crash(page: Page) -> None:
    with pytest.raises(Error):
        await page.goto("chrome://crash")


@pytest.mark.parametrize("leave", [_close, _crash])
async def test_when_the_leading_tab_is_gone_the_others_go_on(
    browser: Browser, gate: Gate, leave: Callable[[Page], Awaitable[None]]
) -> None:
    """One of them takes the connection over."""
    async with visiting(browser, gate.url.replace("127.0.0.1", "localhost")) as first:
        await _begin(first)
        others = [await first.another() for _ in range(2)]
        for each in others:
            await _begin(each)
        await _until_only(gate, Road.STREAM)

        await leave(first.page)

        for each in others:
            await _end(each)
        assert gate.taken[Road.SOCKET] == 0
        assert [trouble for each in others for trouble in each.troubles] == []


async def test_a_leading_tab_that_sleeps_hands_over_and_has_missed_nothing_when_it_wakes(
    tab: Visit, gate: Gate
) -> None:
    """As the browser puts tabs to sleep that nobody looks at."""
    await _begin(tab)
    other = await tab.another()
    await _begin(other)
    await _until_only(gate, Road.STREAM)
    sleep = await tab.page.context.new_cdp_session(tab.page)

    await sleep.send("Page.setWebLifecycleState", {"state": "frozen"})
    await _end(other)
    await other.page.evaluate("id => fetch(`/v1/jobs/${id}/cancel`, { method: 'POST' })", _job(tab))
    await sleep.send("Page.setWebLifecycleState", {"state": "active"})

    await tab.see_end("Cancelled")
    assert other.troubles == []


async def test_a_tab_that_is_loaded_again_goes_on_from_its_place(tab: Visit, gate: Gate) -> None:
    """Its text is there at once, and the stream is asked for what follows it."""
    await _begin(tab)
    await _until_only(gate, Road.STREAM)
    before = len(tab.requests)
    await tab.page.reload()
    await expect(tab.card("OpenAI").locator(".answer-text")).to_be_visible()
    await _until_only(gate, Road.STREAM)

    newest = [request.url for request in tab.requests[before:] if "/stream" in request.url][-1]
    assert re.search(r"[?&]after=[^&]+", newest)
    await _end(tab)


@pytest.mark.parametrize("rule", [Rule.REFUSE, Rule.BUFFER])
async def test_a_page_behind_a_proxy_without_streams_is_served_by_socket(tab: Visit, gate: Gate, rule: Rule) -> None:
    """The answers come all the same, as they are written."""
    gate.rules = {Road.STREAM: rule}
    await _begin(tab)

    await _until_only(gate, Road.SOCKET)

    await expect(tab.page.get_by_text("Live")).to_be_visible()
    await _end(tab)


async def test_a_page_behind_a_proxy_without_streams_and_sockets_polls(tab: Visit, gate: Gate) -> None:
    """And says so."""
    gate.rules = {Road.STREAM: Rule.BUFFER, Road.SOCKET: Rule.REFUSE}
    await _begin(tab)

    await expect(tab.page.get_by_text("Polling")).to_be_visible()

    await _end(tab)


async def test_tabs_without_locks_have_a_socket_each(tab: Visit, gate: Gate) -> None:
    """As on a page that isn't to be trusted with them: a socket isn't counted among the connections to a host."""
    await tab.page.context.add_init_script(NO_LOCKS)
    tabs = [await tab.another() for _ in range(TABS + 1)]
    for each in tabs:
        await _begin(each)

    assert gate.open[Road.SOCKET] == len(tabs)
    assert gate.taken[Road.STREAM] == 0
    for each in tabs:
        await _end(each)


async def _begin(tab: Visit) -> None:
    """Ask something that is answered with a few words and then not to the end."""
    await tab.page.bring_to_front()
    await tab.ask_with(f"Hang, please: {id(tab)}", **STALLED)
    await expect(tab.card("OpenAI").locator(".answer-text")).to_be_visible()


async def _end(tab: Visit) -> None:
    await tab.page.bring_to_front()  # a tab behind others draws too seldom to be clicked at once
    await tab.page.get_by_role("button", name="Stop").click()
    await tab.see_end("Cancelled")


async def _shown(tab: Visit) -> str:
    """The beginning of the first answer, as it was written."""
    return str(await tab.page.locator(".answer-text").first.inner_text())[:20]


def _job(tab: Visit) -> str:
    return tab.page.url.rpartition("/")[2]


async def _until_only(gate: Gate, road: Road) -> None:
    """Return when there is one connection by this road, and none by the other."""
    others = {Road.STREAM, Road.SOCKET} - {road}

    async def alone() -> bool:
        return gate.open[road] == 1 and not any(gate.open[other] for other in others)

    await until(alone)
