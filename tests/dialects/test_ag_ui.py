"""AG-UI's own client on the product as it runs."""

from typing import Any

import pytest

from jobs.model import JsonObject
from tests.api import Api, digest
from tests.dialects.conftest import silence
from tests.dialects.script import running
from tests.system import SECRET, System

pytestmark = pytest.mark.usefixtures("clients")

LONG = "How do I ask a question of which the answer takes a while? " * 100


def scene(system: System, thread: str, *, model: str | None = "openai", question: str = "") -> dict[str, Any]:
    told = {"url": system.url, "secret": SECRET, "thread": thread, "question": question or f"An agent: {thread}?"}
    return {"file": "agent.js", "model": model, **told}


async def polled(server: Api, told: JsonObject) -> list[str]:
    """What polling says of the run's parts."""
    return [digest(part["text"]) for part in (await server.ended(told["job"]))["parts"].values()]


def digests(told: JsonObject) -> list[str]:
    return [digest(text) for text in told["texts"]]


async def test_an_agent_holds_the_answer_that_polling_has(system: System, api: Api) -> None:
    """And is told how many tokens it took."""
    async with running(name="asked and read", **scene(system, "read", model="anthropic")) as agent:
        told = await agent.hears()

    job = await api.ended(told["job"])
    usage = job["parts"]["anthropic"]["usage"]
    assert (told["outcome"], told["error"]) == ("success", None)
    assert digests(told) == await polled(api, told)
    assert told["usage"][0]["outputTokens"] == usage["output_tokens"]


@pytest.mark.parametrize("keeps", [True, False], ids=["what it held", "nothing"])
async def test_an_agent_that_is_reloaded_in_the_middle_holds_the_same_answer(
    slow: System, server: Api, *, keeps: bool
) -> None:
    """Once, whether it kept what it had of it or not."""
    told_scene = scene(slow, f"reloaded {keeps}", question=LONG)
    async with running(name="reloaded in the middle", keeps=keeps, **told_scene) as agent:
        (before,) = await agent.hears()
        with silence(slow):
            await agent.go_on()
            (found,) = await agent.hears()
        await agent.go_on()
        told = await agent.hears()

    assert found.startswith(before)
    assert told["texts"][0].startswith(found)
    assert len(told["texts"][0]) > len(found)
    assert digests(told) == await polled(server, told)


async def test_two_agents_hold_the_same_answer_at_once(slow: System, server: Api) -> None:
    """One that asked, and one that came later."""
    async with running(name="read by two", **scene(slow, "shared", question=LONG)) as agents:
        await agents.hears()
        await agents.go_on()
        first, second = await agents.hears(), await agents.hears()

    assert digests(first) == digests(second) == await polled(server, first)


async def test_a_run_that_is_cancelled_says_so(system: System, api: Api) -> None:
    """By its job, whose id the run's first event has."""
    async with running(name="cancelled", **scene(system, "cancelled", model="openai/gpt-stall")) as agent:
        told = await agent.hears()

    job = await api.ended(told["job"])
    assert (told["outcome"], job["state"]) == ("cancelled", "cancelled")
    assert told["texts"] == [job["parts"]["openai"]["text"]]


async def test_what_a_provider_did_wrong_is_the_runs_error(system: System, api: Api) -> None:
    """In the words of the job."""
    async with running(name="asked and read", **scene(system, "broken", model="openai/gpt-400")) as agent:
        told = await agent.hears()

    error = (await api.ended(told["job"]))["error"]
    assert told["error"] == {"message": error["detail"], "code": error["type"]}


async def test_an_answer_that_was_begun_again_is_held_once(system: System, api: Api) -> None:
    """The try that was broken off is gone from the conversation."""
    async with running(name="asked and read", **scene(system, "again", model="openai/gpt-cutx1")) as agent:
        told = await agent.hears()

    assert len(told["texts"]) == 1
    assert digests(told) == await polled(api, told)


async def test_an_agent_that_connects_where_nothing_ran_is_told_nothing(system: System) -> None:
    """It ends at once, without an error."""
    async with running(name="connected when nothing ran", **scene(system, "nothing")) as agent:
        told = await agent.hears()

    assert (told["job"], told["outcome"], told["error"], told["texts"]) == (None, None, None, [])
