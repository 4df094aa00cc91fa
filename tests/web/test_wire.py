"""The wire inspector in a real browser: what came, by which road, and how to follow it without the page."""

import asyncio
import re
import shutil

import pytest
from playwright.async_api import Locator, WebSocketRoute, expect

from tests.web.visit import Visit

pytestmark = pytest.mark.asyncio(loop_scope="module")

STALLS = {"openai": "gpt-stall", "anthropic": "claude-stall", "google": "gemini-stall"}
STREAMS = re.compile(r"/stream(\?|$)")
FOLLOW_SECONDS = 60


async def test_a_line_tells_an_updates_type_number_and_size_and_opens_to_its_json(visit: Visit) -> None:
    """The cursor stands with it, as in the frame."""
    await _ask_with_wire(visit)
    line = _lines(visit).filter(has_text="delta").first

    await expect(line.locator("summary")).to_have_text(re.compile(r"\+\d+\.\d{3}.*delta.*\d+.*\d+ B.*\{", re.DOTALL))
    await line.locator("summary").click()

    await expect(line.locator("pre")).to_have_text(
        re.compile(r'^id: \d+-\d+\nevent: delta\ndata: \{\n  "part": "', re.DOTALL)
    )


async def test_the_copied_command_follows_from_the_update_that_was_opened(visit: Visit) -> None:
    """curl is given exactly what came after that update, without any other credential."""
    await _ask_with_wire(visit)
    await visit.see_end()
    opened = _lines(visit).nth(-4)
    await opened.locator("summary").click()
    number = int(await opened.locator(".wire-id").inner_text())
    await expect(visit.page.locator(".follow-line")).to_contain_text(f"What follows update {number}")

    await visit.page.get_by_role("button", name="Copy the command").click()
    await visit.page.wait_for_function("async () => /Bearer [^$]/.test(await navigator.clipboard.readText())")
    command = await visit.page.evaluate("navigator.clipboard.readText()")

    ids = re.findall(r"^id: \d+-(\d+)$", await _run(command), re.MULTILINE)
    assert ids == [str(number + 1), str(number + 2), str(number + 3)]


async def test_the_wire_says_by_which_road_the_updates_come(visit: Visit) -> None:
    """By EventSource where it can be had; where not, by a socket; and in a second tab by the first one's."""
    await visit.ask_with("Hang, please", **STALLS)
    await _open(visit)
    await expect(visit.page.locator(".wire-road")).to_have_text("by EventSource")

    other = await visit.another()
    await other.page.goto(visit.page.url)
    await _open(other)
    await expect(other.page.locator(".wire-road")).to_have_text("by another tab")
    await other.page.close()

    await visit.page.route(STREAMS, lambda route: route.fulfill(status=500))
    await visit.page.reload()
    await _open(visit)
    await expect(visit.page.locator(".wire-road")).to_have_text("by WebSocket")


async def test_where_only_asking_works_the_wire_says_so(visit: Visit) -> None:
    """Polling brings snapshots, and each is a line."""
    await visit.page.route(STREAMS, lambda route: route.fulfill(status=500))
    await visit.page.route_web_socket(re.compile("/ws"), _refuse)
    await visit.page.reload()
    await visit.ask_with("Hang, please", **STALLS)
    await _open(visit)
    await expect(visit.page.locator(".connection")).to_have_text("Polling")

    await visit.page.get_by_role("button", name="Stop").click()

    await visit.see_end("Cancelled")
    await expect(visit.page.locator(".wire-road")).to_have_text("by polling")
    await expect(_lines(visit).last).to_contain_text("snapshot")


async def test_escape_closes_the_wire_and_leads_back_to_its_button(visit: Visit) -> None:
    """The focus is never lost, nor caught: from the wire the keyboard leads on to the box."""
    await _ask_with_wire(visit)
    await visit.see_end()
    await visit.page.get_by_role("list", name="Updates").focus()
    for _ in range(400):
        await visit.page.keyboard.press("Tab")
        if await visit.box.evaluate("box => box === document.activeElement"):
            break
    await expect(visit.box).to_be_focused()

    await visit.page.get_by_role("list", name="Updates").focus()
    await visit.page.keyboard.press("Escape")

    await expect(visit.page.locator(".wire")).to_have_count(0)
    await expect(visit.page.get_by_role("button", name="Wire")).to_be_focused()


async def _ask_with_wire(visit: Visit) -> None:
    await visit.ask("What is a fjord?")
    await _open(visit)
    await expect(_lines(visit).filter(has_text="delta").first).to_be_visible()


async def _open(visit: Visit) -> None:
    await visit.page.get_by_role("button", name="Wire").click()


def _lines(visit: Visit) -> Locator:
    return visit.page.locator(".wire li")


async def _refuse(socket: WebSocketRoute) -> None:
    await socket.close()


async def _run(command: str) -> str:
    """What the command says until it ends by itself."""
    assert shutil.which("curl"), "curl is not installed (Debian: apt-get install curl)"
    process = await asyncio.create_subprocess_shell(
        f"timeout {FOLLOW_SECONDS} {command}", stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    return told.decode()
