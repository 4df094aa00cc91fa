"""`chat`: a conversation put to several providers at once, each answering into a part of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from jobs.errors import AnswerFailed, DoNotRetry
from jobs.kind import HOUR_SECONDS, MEBIBYTE, Kind, Question, Run, Turn
from jobs.model import Failure, Value

ProviderName = Literal["openai", "anthropic", "google"]
Words = Annotated[str, Field(min_length=1)]


class Message(Value):
    """One turn of the conversation."""

    role: Literal["user", "assistant"]
    content: Words


class ChatInput(Value):
    """Either `message` or `messages`; `models` names the providers to ask, or `provider` one with its default model,
    else all that are configured are asked."""

    message: Words | None = None
    messages: Annotated[list[Message], Field(min_length=1)] | None = None
    models: Annotated[dict[ProviderName, Words], Field(min_length=1)] | None = None
    provider: ProviderName | Literal["first"] | None = None
    system: str | None = None
    max_output_tokens: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "ChatInput":
        if (self.message is None) == (self.messages is None):
            raise ValueError("give either message or messages")
        if self.models is not None and self.provider is not None:
            raise ValueError("give either models or provider")
        return self

    def turns(self) -> tuple[Turn, ...]:
        """The conversation, whichever way it was given."""
        if self.messages is None:
            return (Turn("user", self.message or ""),)
        return tuple(Turn(message.role, message.content) for message in self.messages)

    def models_by_name(self, configured: Sequence[str]) -> dict[str, str | None]:
        """The providers to ask, and the model that each was asked for; None is its own default."""
        if self.models is not None:
            return {str(name): model for name, model in self.models.items()}
        match self.provider:
            case None:
                return dict.fromkeys(configured)
            case "first":
                return dict.fromkeys(configured[:1])
            case name:
                return {name: None}


async def perform(run: Run, chat: ChatInput) -> JsonValue:
    """Each provider's answer or error by name; fails only if every provider did."""
    models = chat.models_by_name(run.providers)
    if not models:
        raise DoNotRetry("No provider is configured: set the key of at least one.")
    questions = [
        Question(name, chat.turns(), model, chat.system, chat.max_output_tokens) for name, model in models.items()
    ]
    async with asyncio.TaskGroup() as asking:
        answers = [asking.create_task(_answer(run, question)) for question in questions]
    result: dict[str, JsonValue] = {name: answer.result() for name, answer in zip(models, answers, strict=True)}
    if not any(answer.result()["ok"] for answer in answers):
        raise _all_failed([answer.result()["error"] for answer in answers])
    return result


async def _answer(run: Run, question: Question) -> dict[str, JsonValue]:
    try:
        answer = await run.ask(question.provider, question)
    except AnswerFailed as error:
        reason = Failure(type=error.code, title=error.title, detail=error.detail, retryable=error.retryable)
        return {"ok": False, "error": reason.model_dump()}
    return {"ok": True, **asdict(answer)}


def _all_failed(reasons: list[JsonValue]) -> AnswerFailed:
    failures = [Failure.model_validate(reason) for reason in reasons]
    codes = {failure.type for failure in failures}
    code = codes.pop() if len(codes) == 1 else "provider-failed"
    details = " ".join(failure.detail for failure in failures)
    return AnswerFailed(code, f"No provider answered. {details}", retryable=False)


CHAT = Kind(
    name="chat",
    input=ChatInput,
    perform=perform,
    summary="A conversation put to several providers at once, each answering word by word.",
    retention_seconds=HOUR_SECONDS,
    failed_retention_seconds=HOUR_SECONDS,
    max_attempts=1,
    body_limit=MEBIBYTE,
)
