"""What holds for each wire format, seen through its official SDK."""

import json

import pytest

from sandbox.answer import text_for
from tests.sandbox.talker import Ask, Talker

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string", "minLength": 3}, "days": {"type": "integer", "maximum": 5}},
    "required": ["city", "days"],
}
CLOCK = {"type": "object", "properties": {"zone": {"enum": ["UTC", "CET"]}}, "required": ["zone"]}


async def test_an_answer_is_the_text_that_the_prompt_decides(talker: Talker) -> None:
    said = await talker.answer(Ask("How does caching work?"))

    assert said.text == text_for(talker.provider, "How does caching work?")
    assert said.ended == talker.reasons["whole"]


async def test_a_stream_is_the_same_text_in_pieces(talker: Talker) -> None:
    said = await talker.stream(Ask("How does caching work?"))

    assert said.text == text_for(talker.provider, "How does caching work?")
    assert len(said.pieces) > 10
    assert said.ended == talker.reasons["whole"]


async def test_every_event_is_one_that_the_types_of_the_sdk_allow(talker: Talker) -> None:
    for ask in (Ask("Hello"), Ask("Hello", tools={"weather": WEATHER})):
        said = await talker.stream(ask)
        whole = await talker.answer(ask)

        for event in [*said.events, *whole.events]:
            type(event).model_validate_json(event.model_dump_json(by_alias=True, exclude_unset=True))


async def test_usage_is_the_same_streamed_and_whole(talker: Talker) -> None:
    streamed = await talker.stream(Ask("Count me, please"))
    whole = await talker.answer(Ask("Count me, please"))

    assert streamed.input_tokens == whole.input_tokens == len("Count me, please") // 4
    assert streamed.output_tokens == whole.output_tokens == len(whole.text) // 4


async def test_a_tool_is_called_with_arguments_that_satisfy_its_schema(talker: Talker) -> None:
    ask = Ask("Will it rain in Bergen?", tools={"weather": WEATHER, "clock": CLOCK})

    whole, streamed = await talker.answer(ask), await talker.stream(ask)

    assert whole.called == streamed.called
    assert whole.called
    assert whole.called.name == "weather"
    assert len(str(whole.called.arguments["city"])) >= 3
    assert whole.called.arguments["days"] in range(1, 6)
    assert whole.ended == streamed.ended == talker.reasons["call"]
    assert whole.text == streamed.text == ""


async def test_a_tool_that_has_answered_is_not_called_again(talker: Talker) -> None:
    ask = Ask("Will it rain in Bergen?", tools={"weather": WEATHER})
    called = (await talker.answer(ask)).calls

    said = await talker.stream(Ask(ask.text, tools=ask.tools, answered=(tuple(called),)))

    assert said.called is None
    assert said.text == text_for(talker.provider, ask.text, tool_results=1)


async def test_only_the_tool_that_the_request_names_is_called(talker: Talker) -> None:
    said = await talker.stream(Ask("What now?", tools={"weather": WEATHER, "clock": CLOCK}, only_tool="clock"))

    assert said.called
    assert said.called.name == "clock"
    assert said.called.arguments["zone"] in ("UTC", "CET")


async def test_no_tool_is_called_when_the_request_forbids_it(talker: Talker) -> None:
    said = await talker.stream(Ask("What now?", tools={"weather": WEATHER}, no_tools=True))

    assert said.called is None
    assert said.text == text_for(talker.provider, "What now?")


async def test_a_structured_answer_has_the_shape_that_was_asked_for(talker: Talker) -> None:
    ask = Ask("Plan a day in Bergen", schema=WEATHER)

    whole, streamed = await talker.answer(ask), await talker.stream(ask)

    assert whole.text == streamed.text
    assert set(json.loads(whole.text)) == {"city", "days"}


async def test_an_image_is_seen_with_its_size(talker: Talker) -> None:
    said = await talker.stream(Ask("What is this?", image=b"\x89PNG" + bytes(93)))

    assert "I see an image of 97 bytes" in said.text


async def test_a_follow_up_tells_how_many_turns_came_before(talker: Talker) -> None:
    said = await talker.stream(Ask("And then?", earlier=(("First?", "Yes."), ("Second?", "Yes."))))

    assert said.text == text_for(talker.provider, "And then?", earlier_turns=4)
    assert "4 earlier turns" in said.text


async def test_an_answer_beyond_the_token_limit_is_truncated_and_says_so(talker: Talker) -> None:
    said = await talker.stream(Ask("Go on", max_tokens=5))

    assert said.text == text_for(talker.provider, "Go on")[:20]
    assert said.ended == talker.reasons["truncated"]
    assert said.output_tokens == 5


@pytest.mark.parametrize("prompt", ["", "🚀 ünï\u2028cödé \x00 “quotes” {braces}", "word " * 20_000])
async def test_any_prompt_is_answered(talker: Talker, prompt: str) -> None:
    said = await talker.stream(Ask(prompt))

    assert said.text == text_for(talker.provider, prompt)
