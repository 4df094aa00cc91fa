"""Tools called in the order that a prompt plans, seen through each official SDK."""

from dataclasses import replace

import pytest

from sandbox.plan import next_step
from sandbox.question import Question, Result, Tool, Turn
from sandbox.schema import Schema
from tests.sandbox.talker import Ask, Talker

METRIC: dict[str, object] = {
    "type": "object",
    "properties": {"metric": {"enum": ["voltage", "load"]}},
    "required": ["metric"],
}
TOOLS: dict[str, dict[str, object]] = {"list_metrics": {"type": "object"}, "query_metric": METRIC}
PLAN = """Look at the measurements.
sandbox-plan: list_metrics {}; "Two at once." query_metric {"metric": "voltage"} query_metric; done"""


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
async def test_a_plan_is_followed_call_by_call_to_the_final_answer(talker: Talker, *, streamed: bool) -> None:
    ask, said = Ask(PLAN, tools=TOOLS), list[tuple[str, list[tuple[str, object]]]]()
    for _ in range(3):
        turn = await (talker.stream(ask) if streamed else talker.answer(ask))
        said.append((turn.text, [(call.name, call.arguments.get("metric")) for call in turn.calls]))
        ask = replace(ask, answered=(*ask.answered, tuple(turn.calls)) if turn.calls else ask.answered)

    assert said[0] == ("", [("list_metrics", None)])
    assert said[1][0] == "Two at once."
    assert said[1][1][0] == ("query_metric", "voltage")
    assert said[1][1][1][1] in ("voltage", "load"), "what the plan leaves out satisfies the schema"
    assert said[2][1] == []
    assert "I have used 3 tool results." in said[2][0]


async def test_a_stream_of_calls_is_the_same_as_the_whole_answer(talker: Talker) -> None:
    first = (await talker.answer(Ask(PLAN, tools=TOOLS))).calls
    ask = Ask(PLAN, tools=TOOLS, answered=(tuple(first),))

    streamed, whole = await talker.stream(ask), await talker.answer(ask)

    assert (streamed.text, streamed.calls) == (whole.text, whole.calls)
    assert streamed.ended == whole.ended == talker.reasons["call"]
    for event in [*streamed.events, *whole.events]:
        type(event).model_validate_json(event.model_dump_json(by_alias=True, exclude_unset=True))


async def test_no_call_has_the_id_of_another(talker: Talker) -> None:
    """Not even of the same call in another turn; compatible servers match results by them."""
    ask, ids = Ask("Twice.\nsandbox-plan: list_metrics {} list_metrics {}; list_metrics {}", tools=TOOLS), list[str]()
    for _ in range(2):
        calls = (await talker.stream(ask)).calls
        ids += [call.id for call in calls]
        ask = replace(ask, answered=(*ask.answered, tuple(calls)))

    assert len(set(ids)) == len(ids) == 3


async def test_an_unknown_tool_is_called_where_the_plan_says_so(talker: Talker) -> None:
    """Models make tools up, too."""
    said = await talker.stream(Ask('sandbox-plan: fly {"to": "the moon"}', tools=TOOLS))

    assert [(call.name, call.arguments) for call in said.calls] == [("fly", {"to": "the moon"})]


async def test_a_plan_without_tools_is_but_a_prompt(talker: Talker) -> None:
    said = await talker.stream(Ask(PLAN))

    assert said.calls == []
    assert said.text


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("a; b {}; done; c", [["a"], ["b"]]),
        ("a & b, c", [["a", "b", "c"]]),
        ('a {"x": "; done"}; b', [["a"], ["b"]]),
        ("done", []),
        ("", []),
        ('a {"x": ', [["a"]]),
        ("; ;a;;", [["a"]]),
        ('"Only words."; a', [["a"]]),
    ],
)
def test_a_plan_is_read_as_far_as_it_goes(line: str, steps: list[list[str]]) -> None:
    assert _planned(f"Look.\n  sandbox-plan: {line}\nThank you.") == steps


def test_without_a_plan_each_tool_is_called_once() -> None:
    assert _planned("Look.") == [["a"], ["b"]]


def test_the_plan_of_an_earlier_turn_still_holds() -> None:
    """A word of the user in between changes nothing."""
    turns = (
        Turn("user", "sandbox-plan: a; b; done"),
        Turn("assistant", calls=("1",)),
        Turn("user", "Go on.", results=(Result("1", ""),)),
    )

    assert [call.name for call in next_step(_question(turns)).calls] == ["b"]


def _planned(prompt: str) -> list[list[str]]:
    """The names of each step's calls, every one answered, up to the final answer."""
    turns, steps = [Turn("user", prompt)], list[list[str]]()
    while calls := next_step(_question(tuple(turns))).calls:
        steps.append([call.name for call in calls])
        turns.append(Turn("user", results=tuple(Result(call.name, "") for call in calls)))
    return steps


def _question(turns: tuple[Turn, ...]) -> Question:
    tools = (Tool("a", Schema()), Tool("b", Schema()))
    return Question(provider="openai", model="m", turns=turns, streamed=True, tools=tools)
