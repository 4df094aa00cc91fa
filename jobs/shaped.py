"""Answers that must have a form: asked for, checked by our own model, and asked for once more where they misfit."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import orjson
from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import from_json

from jobs.errors import InvalidOutput
from jobs.kind import Question, Run, Shape, Turn, answer_step
from jobs.model import JsonObject

Form = TypeVar("Form", bound=BaseModel)

MOST_REASONS = 20


async def ask_for(
    run: Run,
    part: str,
    question: Question,
    form: type[Form],
    *,
    shape: Shape,
    growing: Callable[[str], JsonValue],
    name: str | None = None,
    context: JsonObject | None = None,
) -> Form:
    """The provider's answer as the form; where it does not fit, the provider is told what is wrong with it and asked
    once more: InvalidOutput if that does not help. `name` is as in `Run.ask`; the form's own validators are given the
    `context`."""
    name = name or answer_step(part)
    question = replace(question, shape=shape)
    answer = await run.ask(part, question, name=name, growing=growing)
    try:
        return form.model_validate_json(answer.text, context=context)
    except ValidationError as misfit:
        mended = (Turn("assistant", answer.text or "{}"), Turn("user", _what_is_wrong(misfit)))
    question = replace(question, turns=(*question.turns, *mended))
    answer = await run.ask(part, question, name=f"{name}:mended", growing=growing)
    try:
        return form.model_validate_json(answer.text, context=context)
    except ValidationError:
        sentence = f"{question.provider} gave twice what does not have the form of {shape.name}; try another model."
        raise InvalidOutput(sentence) from None


def so_far(text: str) -> JsonObject | None:
    """The object as far as its JSON is written; None before it has begun, or if it holds what cannot be stored."""
    try:
        written = from_json(text, allow_partial="trailing-strings", allow_inf_nan=False)
        orjson.dumps(written)  # a number that a model makes up may have any size
    except (ValueError, TypeError):
        return None
    return written if isinstance(written, dict) and written else None


def _what_is_wrong(misfit: ValidationError) -> str:
    found = misfit.errors(include_url=False, include_context=False, include_input=False)[:MOST_REASONS]
    reasons = "\n".join(f"- {'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}" for each in found)
    return (
        f"Your answer does not have the form that was asked for:\n{reasons}\nGive it again, whole and in that form."
    )
