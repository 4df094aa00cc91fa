"""`chat`: a conversation put to several providers at once, each answering into a part of its own."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from jobs.errors import AnswerFailed, DoNotRetry
from jobs.kind import HOUR_SECONDS, MEBIBYTE, Answer, Kind, ProviderName, Question, Round, Run, Turn
from jobs.model import CLIENT_ID_PATTERN, Failure, Value

Words = Annotated[str, Field(min_length=1)]
ConversationId = Annotated[str, Field(pattern=CLIENT_ID_PATTERN)]


class Message(Value):
    """One turn of the conversation."""

    role: Literal["user", "assistant"]
    content: Words


class ChatInput(Value):
    """Either `message` or `messages`; `models` names the providers to ask, or `provider` one with its default model,
    else all that are configured are asked. What was said in the conversation before goes ahead of it, each provider
    hearing its own answers."""

    message: Words | None = None
    messages: Annotated[list[Message], Field(min_length=1)] | None = None
    models: Annotated[dict[ProviderName, Words], Field(min_length=1)] | None = None
    provider: ProviderName | Literal["first"] | None = None
    system: str | None = None
    conversation_id: ConversationId | None = None
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
    """Each provider's answer or error by name; fails only if every provider did, and is then no part of its
    conversation."""
    models = chat.models_by_name(run.providers)
    if not models:
        raise DoNotRetry("No provider is configured: set the key of at least one.")
    answers = await _answers(run, await _questions(run, chat, models))
    failures = [answer for answer in answers.values() if isinstance(answer, Failure)]
    if len(failures) == len(answers):
        raise _all_failed(failures)
    if chat.conversation_id:
        texts = {name: answer.text if isinstance(answer, Answer) else None for name, answer in answers.items()}
        await run.conversations.add(chat.conversation_id, Round(chat.turns(), texts))
    return {name: _told(answer) for name, answer in answers.items()}


async def _questions(run: Run, chat: ChatInput, models: Mapping[str, str | None]) -> list[Question]:
    """What each provider is asked: what it heard of the conversation before, and then this chat."""
    earlier = await run.conversations.earlier(chat.conversation_id) if chat.conversation_id else []
    heard = {name: tuple(turn for said in earlier for turn in said.heard_by(name)) for name in models}
    return [
        Question(name, (*heard[name], *chat.turns()), model, chat.system, chat.max_output_tokens)
        for name, model in models.items()
    ]


async def _answers(run: Run, questions: Sequence[Question]) -> dict[str, Answer | Failure]:
    async with asyncio.TaskGroup() as asking:
        tasks = {question.provider: asking.create_task(_answer(run, question)) for question in questions}
    return {name: task.result() for name, task in tasks.items()}


async def _answer(run: Run, question: Question) -> Answer | Failure:
    try:
        return await run.ask(question.provider, question)
    except AnswerFailed as error:
        return Failure(type=error.code, title=error.title, detail=error.detail, retryable=error.retryable)


def _told(answer: Answer | Failure) -> JsonValue:
    """The answer as the result has it; a chat has no tools, so nothing is said of calls."""
    if isinstance(answer, Failure):
        return {"ok": False, "error": answer.model_dump()}
    return {"ok": True, **{name: value for name, value in asdict(answer).items() if name != "calls"}}


def _all_failed(failures: Sequence[Failure]) -> AnswerFailed:
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
