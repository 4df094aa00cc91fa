"""Answers that must have a shape, by each provider's own feature for it."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any, Literal

import httpx2
import orjson
import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from jobs.kind import Question, Shape, Turn
from tests.providers.asking import WAIT_SECONDS, ask, fault_of, outcome_of
from tests.providers.raw import raw_server, reply
from tests.providers.samples import SAMPLES
from tests.providers.subjects import ANTHROPIC, CHAT, GOOGLE, KEY, RESPONSES, Subject
from workers.provider import Provider, ProviderTruncated, Text
from workers.providers.connections import open_connections
from workers.providers.limits import DEFAULT_LIMITS

PROMPT = "Anna wanted to renew her contract. The router was broken, and nobody answered the phone about billing."
IMPATIENT = replace(DEFAULT_LIMITS, idle_seconds=0.3)


class Closed(BaseModel):
    """A model that takes no member that it doesn't know."""

    model_config = ConfigDict(extra="forbid")


class Step(Closed):
    """What somebody does."""

    title: Annotated[str, Field(min_length=1, max_length=80)]
    description: str
    actor: str
    channel: Literal["phone", "email", "shop"]
    minutes: Annotated[int, Field(ge=1, le=120)] = 5
    note: str | None = None
    pain_points: Annotated[list[str], Field(max_length=5)] = []


class Stage(Closed):
    """Steps that belong together."""

    name: str
    kind: Literal["stage"] = "stage"
    best: Step | None = Field(default=None, description="The one to show first.")
    steps: list[Step]


class Journey(Closed):
    """What the tests ask for."""

    title: str
    personas: Annotated[list[str], Field(min_length=1)]
    stages: list[Stage]


JOURNEY = Shape("journey", Journey.model_json_schema())


def shaped(*, model: str = "sandbox-model", prompt: str = PROMPT) -> Question:
    return replace(ask(prompt, model=model), shape=JOURNEY)


def opened(subject: Subject, http: httpx2.AsyncClient, url: str) -> Provider:
    return subject.open(http, url, KEY, DEFAULT_LIMITS)


async def test_a_shaped_answer_is_json_that_our_model_takes(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    """Limits that a provider's schemas don't know reach the model all the same."""
    outcome = await outcome_of(opened(subject, http, sandbox_url), shaped())

    assert outcome.fault is None
    journey = Journey.model_validate_json(outcome.text)
    assert len(journey.stages) >= 3
    assert all(len(stage.steps) >= 2 for stage in journey.stages)


async def test_a_shaped_answer_follows_its_prompt(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    provider = opened(subject, http, sandbox_url)
    prompts = (PROMPT, PROMPT, "Ben looks for a bicycle with a basket.")

    one, same, other = [(await outcome_of(provider, shaped(prompt=prompt))).text for prompt in prompts]

    assert one == same != other


async def test_a_shaped_answer_grows_and_never_takes_anything_back(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    """What a parser of partial JSON makes of the text so far is contained in what it makes of more of it."""
    text, grown = "", list[Any]()
    async with (
        asyncio.timeout(WAIT_SECONDS),
        aclosing(opened(subject, http, sandbox_url).stream(shaped())) as pieces,
    ):
        async for piece in pieces:
            if isinstance(piece, Text):
                text += piece.text
                grown.append(from_json(text, allow_partial="trailing-strings"))

    assert len(grown) > 50
    assert all(_contained(earlier, later) for earlier, later in pairwise(grown))
    assert grown[-1] == orjson.loads(text)
    assert len({len(value.get("stages", [])) for value in grown}) > 3, "stages come one by one"


@pytest.mark.parametrize("broken", ["cut", "eof"])
async def test_half_a_shaped_answer_is_a_failure(
    subject: Subject, broken: str, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    outcome = await outcome_of(opened(subject, http, sandbox_url), shaped(model=f"sandbox-{broken}"))

    assert isinstance(outcome.fault, ProviderTruncated)
    assert outcome.text.startswith("{")
    assert outcome.finish is None


@pytest.mark.parametrize("broken", ["malformed", "error", "429", "500"])
async def test_a_fault_in_a_shaped_answer_is_worth_another_try(
    subject: Subject, broken: str, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    fault = await fault_of(opened(subject, http, sandbox_url), shaped(model=f"sandbox-{broken}"))

    assert fault.retryable


async def test_a_provider_that_falls_silent_in_a_shaped_answer_is_given_up(
    subject: Subject, sandbox_url: str
) -> None:
    async with open_connections(IMPATIENT, proxied=False) as http:
        fault = await fault_of(opened(subject, http, sandbox_url), shaped(model="sandbox-stall"))

    assert fault.retryable


async def test_a_model_that_missed_the_shape_can_be_told_so(
    subject: Subject, http: httpx2.AsyncClient, sandbox_url: str
) -> None:
    provider, question = opened(subject, http, sandbox_url), shaped(model="sandbox-misfitx1")
    first = await outcome_of(provider, question)
    with pytest.raises(ValidationError):
        Journey.model_validate_json(first.text)
    told = (Turn("assistant", first.text), Turn("user", "That does not fit the schema; write it again."))

    second = await outcome_of(provider, replace(question, turns=(*question.turns, *told)))

    Journey.model_validate_json(second.text)


@pytest.mark.parametrize(
    ("subject", "place"),
    [(RESPONSES, ("text", "format")), (CHAT, ("response_format", "json_schema"))],
    ids=[RESPONSES.id, CHAT.id],
)
async def test_openai_gets_a_schema_that_its_strict_mode_takes(
    subject: Subject, place: tuple[str, ...], http: httpx2.AsyncClient
) -> None:
    sent: Any = await _sent(subject, http)
    for step in place:
        sent = sent[step]

    assert (sent["name"], sent["strict"]) == ("journey", True)
    objects = [each for each in _schemas(sent["schema"]) if each.get("type") == "object"]
    assert len(objects) == 3
    for each in objects:
        assert each["additionalProperties"] is False
        assert each["required"] == [*each["properties"]]
    assert not {keyword for each in _schemas(sent["schema"]) for keyword in each} & {"default", "oneOf", "minLength"}
    assert "{maxLength: 80, minLength: 1}" in str(sent["schema"])


async def test_google_gets_a_schema_of_the_keywords_that_it_knows(http: httpx2.AsyncClient) -> None:
    config = (await _sent(GOOGLE, http))["generationConfig"]

    assert config["responseMimeType"] == "application/json"
    keywords = {keyword for each in _schemas(config["responseJsonSchema"]) for keyword in each}
    assert not keywords & {"const", "default", "pattern", "exclusiveMinimum", "minLength", "discriminator"}
    assert {"enum": ["stage"], "type": "string"} in [*_schemas(config["responseJsonSchema"])]
    assert {"$ref": "#/$defs/Step"} in [*_schemas(config["responseJsonSchema"])]


async def test_anthropic_gets_its_own_form_of_the_schema(http: httpx2.AsyncClient) -> None:
    format_ = (await _sent(ANTHROPIC, http))["output_config"]["format"]

    assert format_["type"] == "json_schema"
    assert all(each["additionalProperties"] is False for each in _schemas(format_["schema"]) if "properties" in each)


async def _sent(subject: Subject, http: httpx2.AsyncClient) -> dict[str, Any]:
    async with raw_server(reply(SAMPLES[subject.id].body)) as server:
        await outcome_of(opened(subject, http, server.url), shaped())
        sent: dict[str, Any] = orjson.loads(server.received[0].body)
    return sent


def _schemas(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The schema and all that are in it."""
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", ())]
    inner += [schema["items"]] if "items" in schema else []
    return [schema, *(each for given in inner for each in _schemas(given))]


def _contained(earlier: Any, later: Any) -> bool:
    """Whether a value may have grown into another."""
    match earlier, later:
        case dict(), dict():
            return all(name in later and _contained(earlier[name], later[name]) for name in earlier)
        case list(), list():
            return len(earlier) <= len(later) and all(map(_contained, earlier, later))
        case str(), str():
            return later.startswith(earlier)
        case _:
            return bool(earlier == later)
