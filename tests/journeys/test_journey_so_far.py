"""The journey as far as its JSON is written: at every character a whole journey that goes on growing."""

import pytest
from pydantic import JsonValue

from jobs.journey import Journey, JourneyStage, JourneyStep, journey_so_far

STEP = JourneyStep(
    title='She "looks"',
    description="For shoes \\ boots 👟",
    actor="Änne",
    channel="",
    emotion="hopeful",
    pain_points=["slow", "far"],
    opportunities=["an app"],
)
WHOLE = Journey(
    title="A return",
    summary="It takes long.",
    personas=["Änne", "Bob"],
    stages=[JourneyStage(name="Before", steps=[STEP, STEP]), JourneyStage(name="After", steps=[])],
)


def letters(value: JsonValue) -> int:
    """How much text there is in it."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(letters(each) for each in value.values())
    return sum(letters(each) for each in value) if isinstance(value, list) else 0


@pytest.mark.parametrize("indent", [None, 2])
def test_each_beginning_of_a_journey_is_a_journey_that_grows(indent: int | None) -> None:
    """Nothing that was shown is taken back, and the last one is the whole."""
    text = WHOLE.model_dump_json(indent=indent)

    shown = [journey_so_far(text[:end]) for end in range(len(text) + 1)]

    begun = [each for each in shown if each is not None]
    assert [letters(each) for each in begun] == sorted(letters(each) for each in begun)
    assert all(Journey.model_validate(each) for each in begun)
    assert begun[-1] == WHOLE.model_dump()
    assert len({str(each) for each in begun}) > 100


@pytest.mark.parametrize("text", ["", "{", "{}", "[1]", "null", "Here it is:", "```json", '{"a" 1'])
def test_what_is_no_journey_yet_shows_nothing(text: str) -> None:
    """None leaves what is shown as it is."""
    assert journey_so_far(text) is None


def test_what_does_not_fit_is_left_out_and_what_is_missing_empty() -> None:
    """What a model makes up beside the form is not shown to anybody."""
    text = '{"title": 7, "mood": "x", "personas": ["a", 1], "stages": [3, {"steps": {}}, {"name": "b", "steps": ['

    assert journey_so_far(text) == {
        "title": "",
        "summary": "",
        "personas": ["a"],
        "stages": [{"name": "", "steps": []}, {"name": "b", "steps": []}],
    }
