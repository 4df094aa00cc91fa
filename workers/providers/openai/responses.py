"""The Responses API: its terminal markers are `response.completed` and, for an answer that reached its limit
of tokens, `response.incomplete`."""

from collections.abc import AsyncIterator

import orjson
from openai import AsyncOpenAI, omit

from jobs.kind import Call, Question
from workers.provider import Finish, ProviderError
from workers.providers import faults
from workers.providers.calls import made
from workers.providers.exchange import Reading
from workers.providers.openai.errors import TITLE, meaning
from workers.providers.openai.response_items import items, text_format, tool_param
from workers.providers.seen import Kind, Seen


class Responses:
    """The wire of the Responses API; nothing of a question is left stored at OpenAI."""

    title = TITLE

    def __init__(self, sdk: AsyncOpenAI) -> None:
        self._sdk = sdk

    async def ask(self, question: Question, model: str) -> AsyncIterator[object]:
        """Its events."""
        return await self._sdk.responses.create(
            model=model,
            input=[item for turn in question.turns for item in items(turn)],
            instructions=question.system or omit,
            max_output_tokens=question.max_output_tokens or omit,
            text=text_format(question.shape) if question.shape else omit,
            tools=[tool_param(tool) for tool in question.tools] or omit,
            include=["reasoning.encrypted_content"] if question.tools else omit,
            store=False,
            stream=True,
        )

    def reading(self, model: str) -> Reading:
        """What is understood of one answer."""
        return _Reading(model)

    def fault(self, error: Exception) -> ProviderError | None:
        """What an exception of the SDK means."""
        return meaning(error)


class _Delta(Seen):
    delta: str


class _Summary(Seen):
    type: str
    text: str


class _Thought(Seen):
    type: str
    id: str
    summary: list[_Summary]
    encrypted_content: str | None = None


class _Called(Seen):
    call_id: str
    name: str
    arguments: str


class _ItemDone(Seen):
    item: Kind


class _ThoughtDone(Seen):
    item: _Thought


class _CallDone(Seen):
    item: _Called


class _Usage(Seen):
    input_tokens: int
    output_tokens: int


class _Reason(Seen):
    reason: str | None = None


class _Failure(Seen):
    code: str | None = None


class _Response(Seen):
    model: str | None = None
    usage: _Usage | None = None
    incomplete_details: _Reason | None = None
    error: _Failure | None = None


class _Ending(Seen):
    response: _Response


class _Reading:
    def __init__(self, model: str) -> None:
        self.finish: Finish | None = None
        self._model = model
        self._thoughts: list[_Thought] = []
        self._calls: list[Call] = []

    def read(self, event: object) -> str:
        match Kind.model_validate(event).type:
            case "response.output_text.delta" | "response.refusal.delta":
                return _Delta.model_validate(event).delta
            case "response.output_item.done":
                self._take(event)
            case "response.completed":
                self._end(_Ending.model_validate(event).response)
            case "response.incomplete":
                self._end_early(_Ending.model_validate(event).response)
            case "response.failed":
                error = _Ending.model_validate(event).response.error
                raise faults.failed(TITLE, error and error.code)
            case "error":
                raise faults.failed(TITLE, _Failure.model_validate(event).code)
        return ""

    def _take(self, event: object) -> None:
        match _ItemDone.model_validate(event).item.type:
            case "reasoning":
                self._thoughts.append(_ThoughtDone.model_validate(event).item)
            case "function_call":
                self._calls.append(self._called(_CallDone.model_validate(event).item))

    def _called(self, call: _Called) -> Call:
        return made(TITLE, call_id=call.call_id, name=call.name, arguments=call.arguments, token=self._token())

    def _token(self) -> str | None:
        """The reasoning since the last call; without its content it is of no use to an API that stores none."""
        whole = [thought.model_dump() for thought in self._thoughts if thought.encrypted_content]
        self._thoughts.clear()
        return orjson.dumps(whole).decode() if whole else None

    def _end_early(self, response: _Response) -> None:
        reason = response.incomplete_details and response.incomplete_details.reason
        if reason != "max_output_tokens":
            raise faults.withheld(TITLE, reason)
        self._end(response)

    def _end(self, response: _Response) -> None:
        used = response.usage
        self.finish = Finish(
            model=response.model or self._model,
            input_tokens=used.input_tokens if used else None,
            output_tokens=used.output_tokens if used else None,
            calls=tuple(self._calls),
        )
