"""Tools, by each provider's own feature for them: calls come out, their results go back in."""

from dataclasses import replace
from typing import Any

import httpx2
import orjson
import pytest

from jobs.kind import Call, CallResult, Question, Shape, Tool, Turn
from tests.providers.asking import Outcome, ask, fault_of, outcome_of
from tests.providers.called import CALLING, NAMELESS, THOUGHTFUL
from tests.providers.raw import raw_server, reply
from tests.providers.subjects import CHAT, GOOGLE, KEY, Subject
from workers.provider import Provider, ProviderError
from workers.providers.limits import DEFAULT_LIMITS

METRICS = Tool("list_metrics", "What was measured.", {"type": "object", "properties": {}})
QUERY = Tool(
    "query_metric",
    "The values of a metric.",
    {
        "type": "object",
        "properties": {"metric": {"type": "string"}, "limit": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["metric"],
    },
)
FINDINGS = Shape(
    "findings",
    {
        "type": "object",
        "properties": {"metric": {"type": "string"}, "finding": {"type": "string"}},
        "required": ["metric", "finding"],
    },
)
PLAN = """What stands out?
sandbox-plan: list_metrics {}; "I look at two." query_metric {"metric": "größe"} query_metric {"metric": "b"}; done"""


def equipped(prompt: str, *, model: str = "sandbox-model") -> Question:
    return replace(ask(prompt, model=model), tools=(METRICS, QUERY))


def opened(subject: Subject, http: httpx2.AsyncClient, url: str) -> Provider:
    return subject.open(http, url, KEY, DEFAULT_LIMITS)


def calls_of(outcome: Outcome) -> tuple[Call, ...]:
    assert outcome.finish is not None, outcome.fault
    return outcome.finish.calls


def answered(question: Question, outcome: Outcome, *contents: str) -> Question:
    """The question after this answer, with what its calls brought."""
    calls = calls_of(outcome)
    results = [CallResult(call.id, call.name, content) for call, content in zip(calls, contents, strict=True)]
    turns = (Turn("assistant", outcome.text, calls=calls), Turn("user", "", results=tuple(results)))
    return replace(question, turns=(*question.turns, *turns))


async def test_a_provider_calls_tools_until_it_has_its_answer(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    """One call, then two at once with a word before them, then the text; each result reaches the provider."""
    provider, question = opened(subject, http, sandbox_url), equipped(PLAN)

    first = await outcome_of(provider, question)
    question = answered(question, first, '{"metrics": ["größe", "b"]}')
    second = await outcome_of(provider, question)
    question = answered(question, second, "[1, 2]", "[3]")
    last = await outcome_of(provider, question)

    assert (first.text, [(call.name, call.arguments) for call in calls_of(first)]) == ("", [("list_metrics", {})])
    assert second.text == "I look at two."
    assert [(call.name, call.arguments) for call in calls_of(second)] == [
        ("query_metric", {"metric": "größe"}),
        ("query_metric", {"metric": "b"}),
    ]
    assert len({call.id for call in (*calls_of(first), *calls_of(second))}) == 3
    assert calls_of(last) == ()
    assert "I have used 3 tool results." in last.text


async def test_a_provider_without_a_plan_calls_each_tool_once(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    """What the first one told is what the second one is asked for."""
    provider, question = opened(subject, http, sandbox_url), equipped("What stands out?")

    first = await outcome_of(provider, question)
    question = answered(question, first, '{"metrics": [{"name": "voltage", "unit": "V"}]}')
    second = await outcome_of(provider, question)
    last = await outcome_of(provider, answered(question, second, "[]"))

    assert [call.name for call in (*calls_of(first), *calls_of(second))] == ["list_metrics", "query_metric"]
    assert calls_of(second)[0].arguments["metric"] == "voltage"
    assert calls_of(second)[0].arguments["limit"] in range(1, 10)
    assert calls_of(last) == ()


async def test_with_tools_and_a_shape_the_last_answer_has_the_shape(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    provider = opened(subject, http, sandbox_url)
    question = replace(equipped("Find it.\nsandbox-plan: list_metrics; done"), shape=FINDINGS)

    first = await outcome_of(provider, question)
    last = await outcome_of(provider, answered(question, first, '{"metrics": ["voltage"]}'))

    assert [call.name for call in calls_of(first)] == ["list_metrics"]
    assert orjson.loads(last.text)["metric"] == "voltage"


@pytest.mark.parametrize("broken", ["cut", "eof", "malformed", "error", "429", "500"])
async def test_a_fault_among_the_calls_is_worth_another_try(
    subject: Subject, broken: str, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    """A call that was told only in part is none."""
    arguments = orjson.dumps({"metric": "a long name " * 20, "limit": 3}).decode()
    prompt = f"What?\nsandbox-plan: query_metric {arguments}; done"

    fault = await fault_of(opened(subject, http, sandbox_url), equipped(prompt, model=f"sandbox-{broken}"))

    assert fault.retryable


async def test_a_result_that_belongs_to_no_call_is_refused_by_the_provider(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    """Or the tests of calls and results would pass with ids that don't match."""
    turns = (*equipped(PLAN).turns, Turn("user", "", results=(CallResult("never-made", "never_made", "1"),)))

    fault = await fault_of(opened(subject, http, sandbox_url), replace(equipped(PLAN), turns=turns))

    assert not fault.retryable


@pytest.mark.parametrize("arguments", ["[1]", '"text"', '{"metric": ', "nonsense", "NaN", r'{"a": "\ud800"}'])
async def test_arguments_that_are_no_object_are_worth_another_try(
    subject: Subject, arguments: str, http: httpx2.AsyncClient
) -> None:
    async with raw_server(reply(CALLING[subject.id](arguments))) as server:
        fault = await fault_of(opened(subject, http, server.url), equipped("What?", model="m"))

    assert type(fault) is ProviderError
    assert fault.retryable


async def test_a_call_without_arguments_has_none(subject: Subject, http: httpx2.AsyncClient) -> None:
    """Some send nothing at all where they mean an empty object."""
    async with raw_server(reply(CALLING[subject.id](""))) as server:
        outcome = await outcome_of(opened(subject, http, server.url), equipped("What?", model="m"))

    assert [call.arguments for call in calls_of(outcome)] == [{}]


@pytest.mark.parametrize("subject", [CHAT, GOOGLE], ids=[CHAT.id, GOOGLE.id])
async def test_calls_without_ids_can_be_told_apart(subject: Subject, http: httpx2.AsyncClient) -> None:
    """Neither OpenAI nor Anthropic leaves one out, but what is compatible with OpenAI does."""
    async with raw_server(reply(NAMELESS[subject.id])) as server:
        outcome = await outcome_of(opened(subject, http, server.url), equipped("What?", model="m"))

    first, second = calls_of(outcome)
    assert (first.name, second.name) == ("list_metrics", "query_metric")
    assert first.id != second.id


async def test_what_the_model_thought_goes_back_with_its_calls(subject: Subject, http: httpx2.AsyncClient) -> None:
    """Unchanged and in its place, or the provider refuses the results or thinks worse."""
    sample = THOUGHTFUL[subject.id]
    async with raw_server(reply(sample.body)) as server:
        provider, question = opened(subject, http, server.url), equipped("What?", model="m")
        first = await outcome_of(provider, question)
        await outcome_of(provider, answered(question, first, "one", "two"))
        sent: dict[str, Any] = orjson.loads(server.received[1].body)

    assert sent[sample.field][1:] == sample.sent_back
