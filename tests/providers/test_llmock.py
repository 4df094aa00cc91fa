"""The providers against llmock, which others wrote: where it speaks a feature, it takes what ours ask."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import httpx2
import orjson
import pytest
from llmock.testing import LLMockServer
from pydantic import JsonValue

from jobs.kind import CallResult, Image, Question, Shape, Tool, Turn
from tests.providers.asking import ask, outcome_of
from tests.providers.subjects import ANTHROPIC, CHAT, GOOGLE, KEY, RESPONSES, Subject
from workers.provider import Provider
from workers.providers.google import Google
from workers.providers.limits import DEFAULT_LIMITS

ROOTS: Mapping[str, str] = {RESPONSES.id: "", CHAT.id: "", ANTHROPIC.id: "/anthropic", GOOGLE.id: "/gemini"}
CITY: dict[str, JsonValue] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("weather", "How it will be.", CITY)


@pytest.fixture(scope="module")
def llmock() -> Iterator[LLMockServer]:
    with LLMockServer() as server:
        yield server


def opened(subject: Subject, http: httpx2.AsyncClient, llmock: LLMockServer) -> Provider:
    url = llmock.url + ROOTS[subject.id]
    if subject is GOOGLE:  # of which llmock speaks another version
        return Google(http, api_key=KEY, base_url=url, api_version="v1beta", limits=DEFAULT_LIMITS)
    return subject.open(http, url, KEY, DEFAULT_LIMITS)


async def test_a_tool_is_called_and_its_result_taken(
    subject: Subject, http: httpx2.AsyncClient, llmock: LLMockServer
) -> None:
    provider, question = (
        opened(subject, http, llmock),
        replace(ask("Will it rain?", model="gpt-4o"), tools=(WEATHER,)),
    )

    asked = await outcome_of(provider, question)
    assert asked.finish is not None, asked.fault
    calls = asked.finish.calls
    turns = (
        Turn("assistant", asked.text, calls=calls),
        Turn("user", "", results=tuple(CallResult(call.id, call.name, "rain") for call in calls)),
    )
    told = await outcome_of(provider, replace(question, turns=(*question.turns, *turns)))

    assert [(call.name, [*call.arguments]) for call in calls] == [("weather", ["city"])]
    assert told.finish is not None, told.fault
    assert (told.finish.calls, bool(told.text)) == ((), True)


@pytest.mark.parametrize("subject", [RESPONSES, CHAT, GOOGLE], ids=lambda subject: subject.id)
async def test_a_shape_is_kept(subject: Subject, http: httpx2.AsyncClient, llmock: LLMockServer) -> None:
    """llmock knows nothing of Anthropic's."""
    question = replace(ask("Which city?", model="gpt-4o"), shape=Shape("city", CITY))

    outcome = await outcome_of(opened(subject, http, llmock), question)

    assert [*orjson.loads(outcome.text)] == ["city"]


@pytest.mark.parametrize("subject", [RESPONSES, CHAT], ids=lambda subject: subject.id)
async def test_an_image_is_taken(subject: Subject, http: httpx2.AsyncClient, llmock: LLMockServer) -> None:
    """llmock looks at OpenAI's alone."""
    image = Image("image/png", b"\x89PNG\r\n\x1a\n" + bytes(20))
    question = Question("", (Turn("user", "What is this?", images=(image,)),), "gpt-4o")

    outcome = await outcome_of(opened(subject, http, llmock), question)

    assert outcome.fault is None
    assert outcome.text
