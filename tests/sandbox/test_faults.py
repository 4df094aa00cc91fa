"""Each fault as the official SDKs show it."""

import asyncio
import json
from collections.abc import Mapping

import anthropic
import httpx2
import openai
import pytest
from google.genai import errors as google

from sandbox.answer import text_for
from sandbox.faults import Fault, fault_in
from tests.sandbox.server import Sandbox, serve
from tests.sandbox.talker import PATIENCE_SECONDS, Ask, Talker
from tests.sandbox.talkers import TALKERS

_OPENAI: Mapping[str, type[Exception]] = {
    "429": openai.RateLimitError,
    "500": openai.InternalServerError,
    "529": openai.InternalServerError,
    "silent": openai.APITimeoutError,
    "cut": openai.APIConnectionError,
    "stall": openai.APITimeoutError,
    "malformed": json.JSONDecodeError,
}
_GOOGLE: Mapping[str, type[Exception]] = {
    "429": google.ClientError,
    "500": google.ServerError,
    "529": google.ServerError,
    "silent": httpx2.ReadTimeout,
    "cut": httpx2.RemoteProtocolError,
    "stall": httpx2.ReadTimeout,
    "malformed": google.UnknownApiResponseError,
    "error": google.ServerError,
}
RAISED_BY_STREAMS: Mapping[str, Mapping[str, type[Exception]]] = {
    "responses": _OPENAI,  # an `error` is an event here, and raises nothing
    "chat": {**_OPENAI, "error": openai.APIError},
    "anthropic": {
        "429": anthropic.RateLimitError,
        "500": anthropic.InternalServerError,
        "529": anthropic.OverloadedError,
        "silent": anthropic.APITimeoutError,
        "cut": httpx2.RemoteProtocolError,
        "stall": httpx2.ReadTimeout,
        "malformed": json.JSONDecodeError,
        "error": anthropic.APIStatusError,
    },
    "google-v1": _GOOGLE,
}
ANY_ERROR_OF_AN_SDK = (
    openai.OpenAIError,
    anthropic.AnthropicError,
    google.APIError,
    google.UnknownApiResponseError,
    httpx2.HTTPError,
    json.JSONDecodeError,
)


@pytest.fixture
def own_prompt(request: pytest.FixtureRequest) -> str:
    """A prompt that no other test asks, since faults with a number count by it."""
    return f"What is wrong in {request.node.nodeid}?"


@pytest.mark.parametrize(
    ("name", "fault", "raised"),
    [(name, fault, raised) for name, faults in RAISED_BY_STREAMS.items() for fault, raised in faults.items()],
)
async def test_a_faulty_stream_raises(sandbox: Sandbox, name: str, fault: str, raised: type[Exception]) -> None:
    async with TALKERS[name](sandbox.url, patience_seconds=_patience_seconds(fault)) as talker:
        with pytest.raises(raised) as caught:
            await talker.stream(Ask("What is wrong?", model=f"sandbox-{fault}"))

    assert type(caught.value) is raised


@pytest.mark.parametrize("name", RAISED_BY_STREAMS)
@pytest.mark.parametrize("fault", ["429", "500", "529", "silent", "cut", "eof", "stall", "malformed", "error"])
async def test_a_faulty_answer_in_one_body_raises(sandbox: Sandbox, name: str, fault: str) -> None:
    async with TALKERS[name](sandbox.url, patience_seconds=_patience_seconds(fault)) as talker:
        with pytest.raises(ANY_ERROR_OF_AN_SDK):
            await talker.answer(Ask("What is wrong?", model=f"sandbox:{fault}"))


@pytest.mark.parametrize("ask", [Ask("What is wrong?"), Ask("And now?", tools={"weather": {"type": "object"}})])
async def test_a_stream_that_ends_early_raises_nothing_and_has_no_terminal_marker(talker: Talker, ask: Ask) -> None:
    said = await talker.stream(Ask(ask.text, model="sandbox-eof", tools=ask.tools))

    assert said.ended is None
    assert text_for(talker.provider, ask.text).startswith(said.text)
    assert bool(said.text) is not bool(ask.tools)


async def test_an_error_in_a_stream_of_responses_is_an_event(sandbox: Sandbox) -> None:
    async with TALKERS["responses"](sandbox.url) as talker:
        said = await talker.stream(Ask("What is wrong?", model="sandbox-error"))

    assert said.events[-1].model_dump()["type"] == "error"
    assert said.ended is None


async def test_a_refusal_says_when_to_try_again(talker: Talker) -> None:
    refusals = (openai.RateLimitError, anthropic.RateLimitError, google.ClientError)
    with pytest.raises(refusals) as caught:
        await talker.stream(Ask("Too much?", model="sandbox-429"))

    assert isinstance(caught.value, refusals)
    assert caught.value.response.headers["retry-after"] == "1"


@pytest.mark.parametrize("fault", ["429", "cut", "malformed"])
async def test_a_fault_with_a_number_ends_after_so_many_requests(talker: Talker, fault: str, own_prompt: str) -> None:
    ask = Ask(own_prompt, model=f"sandbox:{fault}x2")

    for _ in range(2):
        with pytest.raises(ANY_ERROR_OF_AN_SDK):
            await talker.stream(ask)

    assert (await talker.stream(ask)).text == text_for(talker.provider, ask.text)


async def test_a_fault_with_a_number_counts_each_prompt_by_itself(talker: Talker, own_prompt: str) -> None:
    for place in range(2):
        with pytest.raises(ANY_ERROR_OF_AN_SDK):
            await talker.stream(Ask(f"{own_prompt} {place}", model="sandbox:500x1"))


async def test_a_stalled_request_costs_nothing_once_its_client_has_left(sandbox: Sandbox) -> None:
    async with TALKERS["chat"](sandbox.url, patience_seconds=_patience_seconds("stall")) as talker:
        for fault in ("stall", "silent"):
            with pytest.raises(openai.APITimeoutError):
                await talker.stream(Ask("Anybody there?", model=f"sandbox-{fault}"))

    assert await sandbox.rests()


async def test_a_slow_model_ends_after_one_that_was_asked_later() -> None:
    with serve(pace=0.1) as sandbox:
        async with TALKERS["chat"](sandbox.url) as talker, asyncio.TaskGroup() as tasks:
            slow = tasks.create_task(talker.stream(Ask("Take your time", model="sandbox-slow")))
            quick = tasks.create_task(talker.stream(Ask("Take your time", model="sandbox")))
            ended, _ = await asyncio.wait({slow, quick}, return_when=asyncio.FIRST_COMPLETED)
            slow.cancel()

    assert ended == {quick}


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ("gpt-5.4-mini", Fault()),
        ("claude-haiku-4-5-20251001", Fault()),
        ("gpt-slow-cut", Fault(slow=True, breaks="cut")),
        ("gpt:503", Fault(status=503)),
        ("gpt-429x1", Fault()),
        ("gpt-429x2", Fault(status=429)),
        ("gpt-cutting-slower-4290-x2", Fault()),
    ],
)
def test_a_fault_is_a_whole_word_of_the_model_name(model: str, fault: Fault) -> None:
    assert fault_in(model, nth=2) == fault


def _patience_seconds(fault: str) -> float:
    return 0.3 if fault in ("stall", "silent") else PATIENCE_SECONDS
