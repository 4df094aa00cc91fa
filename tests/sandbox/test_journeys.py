"""Structured answers long and varied enough to watch them grow."""

import json
from typing import Any

import pytest

from sandbox.answer import answer_to
from sandbox.gleaning import texts_by_name
from sandbox.question import Image, Provider, Question, Turn
from sandbox.schema import Schema
from tests.sandbox.talker import Ask, Talker

_TEXTS = {"type": "array", "items": {"type": "string"}}
_STEP = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("title", "description", "actor", "channel", "emotion")},
        **dict.fromkeys(("pain_points", "opportunities"), _TEXTS),
    },
}
_STAGE = {"type": "object", "properties": {"name": {"type": "string"}, "steps": {"type": "array", "items": _STEP}}}
JOURNEY: dict[str, object] = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "summary": {"type": "string"},
        "personas": _TEXTS,
        "stages": {"type": "array", "items": _STAGE},
    },
    "required": ["title", "summary", "personas", "stages"],
}
TRANSCRIPT = "Anna: I wanted to renew my contract. Agent: It ends in May, and the router has to be returned."


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google"])
def test_a_journey_has_several_stages_with_several_steps_that_differ(provider: Provider) -> None:
    journey = _journey(provider, TRANSCRIPT)

    steps = [step for stage in journey["stages"] for step in stage["steps"]]
    assert 3 <= len(journey["stages"]) <= 5
    assert all(2 <= len(stage["steps"]) <= 4 for stage in journey["stages"])
    assert all(step["pain_points"] and step["opportunities"] for step in steps)
    assert len({step["title"] for step in steps}) > len(steps) / 2
    assert len({step["emotion"] for step in steps}) > 1
    assert "contract" in json.dumps(journey)


def test_another_transcript_is_another_journey() -> None:
    one, other = _journey("openai", TRANSCRIPT), _journey("openai", "Ben looks for a bicycle with a basket.")

    assert _journey("openai", TRANSCRIPT) == one
    assert not {stage["name"] for stage in one["stages"]} & {stage["name"] for stage in other["stages"]}


def test_another_picture_is_another_journey() -> None:
    one, other = (_journey("google", "This diagram.", Image(9, digest)) for digest in ("a", "b"))

    assert one != other


def test_a_journey_comes_in_enough_pieces_to_be_watched() -> None:
    question = _question("google", TRANSCRIPT)

    assert len(answer_to(question).pieces) > 100


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
async def test_a_misfit_is_json_of_another_shape(talker: Talker, *, streamed: bool) -> None:
    """Only the first answer of a conversation, where the model's name says so."""
    speak = talker.stream if streamed else talker.answer
    first = await speak(Ask(TRANSCRIPT, model="sandbox-misfitx1", schema=JOURNEY))
    told = ((TRANSCRIPT, first.text),)

    second = await speak(Ask("Do it again.", model="sandbox-misfitx1", schema=JOURNEY, earlier=told))

    assert "stages" not in json.loads(first.text)
    assert json.loads(first.text)["title"] == {"misfit": True}
    assert set(json.loads(second.text)) == {"title", "summary", "personas", "stages"}
    assert "contract" in second.text, "it is still about what was said before"


@pytest.mark.parametrize("times", [1, 2])
async def test_a_misfit_without_a_number_stays_one(talker: Talker, times: int) -> None:
    earlier = ((TRANSCRIPT, "{}"),) * times

    said = await talker.stream(Ask("Do it again.", model="sandbox-misfit", schema=JOURNEY, earlier=earlier))

    assert json.loads(said.text)["title"] == {"misfit": True}


def test_a_single_text_and_a_misfit_of_it_differ() -> None:
    question = Question(
        provider="openai",
        model="m",
        turns=(Turn("user", "Hi"),),
        streamed=True,
        schema=Schema.model_validate({"type": "string"}),
    )

    assert answer_to(question, misfits=True).text != answer_to(question).text


@pytest.mark.parametrize(
    ("results", "known"),
    [
        (['{"metrics": ["a", "b"]}', '{"metrics": ["b", "c"]}'], {"metric": ["a", "b", "c"]}),
        (['{"metrics": [{"name": "a", "unit": "V"}]}'], {"metric": ["a"], "name": ["a"], "unit": ["V"]}),
        (["not JSON", "[", '"x"', "5", "null", "[" * 100_000], {"": ["x"]}),
    ],
)
def test_what_tools_told_is_known_by_its_name(results: list[str], known: dict[str, list[str]]) -> None:
    assert {name: texts for name, texts in texts_by_name(results).items() if texts} == known


def _question(provider: Provider, prompt: str, *images: Image) -> Question:
    return Question(
        provider=provider,
        model="m",
        turns=(Turn("user", prompt, images),),
        streamed=True,
        schema=Schema.model_validate(JOURNEY),
    )


def _journey(provider: Provider, prompt: str, *images: Image) -> dict[str, Any]:
    journey: dict[str, Any] = json.loads(answer_to(_question(provider, prompt, *images)).text)
    return journey
