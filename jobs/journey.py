"""A journey: what imports make of a transcript or a diagram, and how a provider is asked for one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import get_args

from pydantic import Field, JsonValue

from jobs.errors import ProviderNotConfigured
from jobs.kind import Question, Run, Shape
from jobs.model import JsonObject, Value
from jobs.shaped import ask_for, so_far

PART = "journey"
"""The part that grows into the result."""


class JourneyStep(Value):
    """One thing that somebody does, or that happens to them."""

    title: str = Field(description="A few words.")
    description: str = Field(description="What happens, in one to three sentences.")
    actor: str = Field(description="Who does it.")
    channel: str = Field(description="Where it happens: in a shop, by phone, in an app; empty if nothing tells.")
    emotion: str = Field(description="How it feels to them, in a word or two; empty if nothing tells.")
    pain_points: list[str] = Field(description="What is hard about it.")
    opportunities: list[str] = Field(description="What could be better.")


class JourneyStage(Value):
    """A phase of the journey."""

    name: str
    steps: list[JourneyStep] = Field(description="In the order in which they happen.")


class Journey(Value):
    """What people go through to get something done, from beginning to end."""

    title: str
    summary: str = Field(description="The whole journey in two to four sentences.")
    personas: list[str] = Field(description="Whose journey it is.")
    stages: list[JourneyStage] = Field(description="In the order in which they happen.")


SHAPE = Shape("journey", Journey.model_json_schema())


def provider_for(run: Run, wanted: str | None) -> str:
    """The provider that was asked for, else the first that is configured; ProviderNotConfigured where none is."""
    if wanted is not None:
        return wanted
    if not run.providers:
        raise ProviderNotConfigured("No provider is configured: set the key of at least one.")
    return run.providers[0]


async def ask_for_journey(run: Run, part: str, question: Question) -> Journey:
    """The journey that the provider answers, growing in the part; InvalidOutput where it gives none."""
    return await ask_for(run, part, question, Journey, shape=SHAPE, growing=journey_so_far)


def journey_so_far(text: str) -> JsonValue:
    """The journey as far as its JSON is written: what is still to come is empty; None before it has begun."""
    written = so_far(text)
    return _begun(Journey, written) if written else None


@asynccontextmanager
async def saying_after(run: Run, seconds: float, message: str) -> AsyncIterator[None]:
    """Tells the listeners so, if the body takes longer."""

    async def say() -> None:
        await asyncio.sleep(seconds)
        await run.progress(message=message)

    async with asyncio.TaskGroup() as tasks:
        saying = tasks.create_task(say())
        yield
        saying.cancel()


def _begun(form: type[Value], written: object) -> JsonObject:
    held = written if isinstance(written, dict) else {}
    return {name: _fitting(field.annotation, held.get(name)) for name, field in form.model_fields.items()}


def _fitting(form: object, written: object) -> JsonValue:
    """What is written as far as it has the form, text or a list."""
    if form is str:
        return written if isinstance(written, str) else ""
    (item,) = get_args(form)
    items = written if isinstance(written, list) else []
    if item is str:
        return [each for each in items if isinstance(each, str)]
    return [_begun(item, each) for each in items if isinstance(each, dict)]
