"""The AI SDK's `useChat`, as pages use it, on the product as it runs."""

from typing import Any

import pytest

from jobs.model import JsonObject
from tests.api import Api, digest
from tests.dialects.conftest import silence
from tests.dialects.script import running
from tests.system import SECRET, System

pytestmark = pytest.mark.usefixtures("clients")

LONG = "How do I ask a question of which the answer takes a while? " * 100


def scene(system: System, chat: str, *, model: str | None = "openai", question: str = "") -> dict[str, Any]:
    told = {"url": system.url, "secret": SECRET, "chat": chat, "question": question or f"A chat: {chat}?"}
    return {"file": "chat.js", "model": model, **told}


async def polled(server: Api, told: JsonObject) -> list[str]:
    """What polling says of the answer's parts; a message has its job's id."""
    job = await server.ended(told["id"])
    return [digest(part["text"]) for part in job["parts"].values()]


def digests(told: JsonObject) -> list[str]:
    return [digest(text) for text in told["texts"]]


async def test_a_page_shows_the_answer_that_polling_has(system: System, api: Api) -> None:
    """Without a model it is that of the first provider."""
    async with running(name="asked and read", **scene(system, "read", model=None)) as page:
        told = await page.hears()

    assert (told["status"], told["error"]) == ("ready", None)
    assert digests(told) == await polled(api, told)
    assert [*(await api.poll(told["id"]))["parts"]] == ["openai"]


async def test_a_page_that_is_reloaded_in_the_middle_shows_the_same_answer(slow: System, server: Api) -> None:
    """It finds what was said already, and then the rest."""
    async with running(name="reloaded in the middle", **scene(slow, "reloaded", question=LONG)) as page:
        (before,) = await page.hears()
        with silence(slow):
            await page.go_on()
            (found,) = await page.hears()
        await page.go_on()
        told = await page.hears()

    assert found.startswith(before)
    assert told["texts"][0].startswith(found)
    assert len(told["texts"][0]) > len(found)
    assert digests(told) == await polled(server, told)


async def test_a_page_that_the_network_cut_off_shows_the_same_answer_once(slow: System, server: Api) -> None:
    """The page itself goes on: it takes what it is told for a replay."""
    async with running(name="cut off by the network", **scene(slow, "cut off", question=LONG)) as page:
        (before,) = await page.hears()
        told = await page.hears()

    assert told["texts"][0].startswith(before)
    assert digests(told) == await polled(server, told)


async def test_two_pages_read_the_same_answer_at_once(slow: System, server: Api) -> None:
    """One that asked, and one that came later."""
    async with running(name="read by two", **scene(slow, "shared", question=LONG)) as pages:
        await pages.hears()
        await pages.go_on()
        first, second = await pages.hears(), await pages.hears()

    assert digests(first) == digests(second) == await polled(server, first)


async def test_a_stop_ends_the_job_and_keeps_what_was_said(system: System, api: Api) -> None:
    """The provider would never have come to an end; nothing runs afterwards."""
    async with running(name="stopped", **scene(system, "stopped", model="openai/gpt-stall")) as page:
        stopped, told = await page.hears(), await page.hears()

    job = await api.ended(told["id"])
    resumed = await api.http.get("/api/chat/stopped/stream")
    assert stopped == {"success": True}
    assert (told["status"], told["error"]) == ("ready", None)
    assert (job["state"], job["parts"]["openai"]["text"]) == ("cancelled", told["texts"][0])
    assert resumed.status_code == 204


async def test_what_a_provider_did_wrong_is_the_pages_error(system: System, api: Api) -> None:
    """In the words of the job."""
    async with running(name="asked and read", **scene(system, "broken", model="openai/gpt-400")) as page:
        told = await page.hears()

    job = await api.ended(told["id"])
    assert (told["status"], job["state"]) == ("error", "failed")
    assert told["error"] == job["error"]["detail"]


async def test_an_answer_that_was_begun_again_is_marked_and_the_chat_goes_on(system: System, api: Api) -> None:
    """The next question goes out with the two turns before it."""
    async with running(name="asked twice", **scene(system, "again", model="openai/gpt-cutx1")) as page:
        first, second = await page.hears(), await page.hears()

    parts = [part for part in first["messages"][-1]["parts"] if part["type"] == "text"]
    assert [part["providerMetadata"]["jobstream"].get("superseded", False) for part in parts] == [True, False]
    assert digests(first) == await polled(api, first)
    assert "I have read the 2 earlier turns of this talk." in second["texts"][0]


async def test_a_page_that_opens_when_nothing_runs_is_ready(system: System) -> None:
    """Nothing was ever asked there."""
    async with running(name="opened when nothing runs", **scene(system, "nothing")) as page:
        assert await page.hears() == {"status": "ready", "messages": []}


async def test_a_refusal_is_the_pages_error_as_a_sentence(system: System) -> None:
    """The client takes the whole body for it."""
    async with running(name="asked without a credential", **scene(system, "refused")) as page:
        assert await page.hears() == {"status": "error", "error": "Send a credential."}
