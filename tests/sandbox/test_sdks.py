"""The comforts that the official SDKs build on the wire work against the sandbox."""

from collections.abc import AsyncIterator

import anthropic
import openai
import pytest
from google import genai
from google.genai import types as gemini

from sandbox.answer import text_for
from tests.sandbox.server import Sandbox
from tests.sandbox.test_example import Step

PROMPT = "Plan a walk through Bergen"


@pytest.fixture
async def openai_client(sandbox: Sandbox) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(api_key="any", base_url=f"{sandbox.url}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
async def anthropic_client(sandbox: Sandbox) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key="any", base_url=sandbox.url, max_retries=0) as client:
        yield client


@pytest.fixture
async def google_client(sandbox: Sandbox) -> AsyncIterator[genai.Client]:
    client = genai.Client(api_key="any", http_options=gemini.HttpOptions(base_url=sandbox.url))
    yield client
    await client.aio.aclose()


async def test_openai_parses_a_structured_response(openai_client: openai.AsyncOpenAI) -> None:
    response = await openai_client.responses.parse(model="m", input=PROMPT, text_format=Step)

    assert isinstance(response.output_parsed, Step)


async def test_openai_streams_a_structured_response(openai_client: openai.AsyncOpenAI) -> None:
    async with openai_client.responses.stream(model="m", input=PROMPT, text_format=Step) as stream:
        response = await stream.get_final_response()

    assert isinstance(response.output_parsed, Step)


async def test_the_events_of_a_response_are_numbered_without_a_gap(openai_client: openai.AsyncOpenAI) -> None:
    stream = await openai_client.responses.create(model="m", input=PROMPT, stream=True)

    numbers = [event.sequence_number async for event in stream]

    assert numbers == list(range(len(numbers)))


async def test_openai_parses_a_structured_completion(openai_client: openai.AsyncOpenAI) -> None:
    completion = await openai_client.chat.completions.parse(
        model="m", messages=[{"role": "user", "content": PROMPT}], response_format=Step
    )

    assert isinstance(completion.choices[0].message.parsed, Step)


async def test_openai_streams_a_completion(openai_client: openai.AsyncOpenAI) -> None:
    async with openai_client.chat.completions.stream(
        model="m", messages=[{"role": "user", "content": PROMPT}]
    ) as stream:
        completion = await stream.get_final_completion()

    assert completion.choices[0].message.content == text_for("openai", PROMPT)


async def test_anthropic_parses_a_structured_message(anthropic_client: anthropic.AsyncAnthropic) -> None:
    message = await anthropic_client.messages.parse(
        model="m", max_tokens=4000, messages=[{"role": "user", "content": PROMPT}], output_format=Step
    )

    assert isinstance(message.parsed_output, Step)


async def test_anthropic_streams_a_message(anthropic_client: anthropic.AsyncAnthropic) -> None:
    async with anthropic_client.messages.stream(
        model="m", max_tokens=4000, messages=[{"role": "user", "content": PROMPT}]
    ) as stream:
        message = await stream.get_final_message()

    assert [block.text for block in message.content if block.type == "text"] == [text_for("anthropic", PROMPT)]
    assert message.usage.input_tokens == len(PROMPT) // 4


async def test_google_parses_a_structured_response(google_client: genai.Client) -> None:
    config = gemini.GenerateContentConfig(response_mime_type="application/json", response_schema=Step)

    response = await google_client.aio.models.generate_content(model="m", contents=PROMPT, config=config)

    assert isinstance(response.parsed, Step)


async def test_google_runs_a_function_and_hands_its_result_back(google_client: genai.Client) -> None:
    asked: list[str] = []

    def weather(city: str) -> str:
        asked.append(city)
        return "rain"

    config = gemini.GenerateContentConfig(tools=[weather])
    response = await google_client.aio.models.generate_content(model="m", contents=PROMPT, config=config)

    assert len(asked) == 1
    assert response.text == text_for("google", PROMPT, tool_results=1)


async def test_google_chats(google_client: genai.Client) -> None:
    chat = google_client.aio.chats.create(model="m")

    await chat.send_message("Hello")
    pieces = [response.text or "" async for response in await chat.send_message_stream(PROMPT)]

    assert "".join(pieces) == text_for("google", PROMPT, earlier_turns=2)
