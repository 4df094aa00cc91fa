"""The Responses API: its terminal markers are `response.completed` and, for an answer that reached its limit
of tokens, `response.incomplete`."""

from collections.abc import AsyncIterator

from openai import AsyncOpenAI, omit
from openai.types.responses import ResponseInputItemParam

from jobs.kind import Question
from workers.provider import Finish, ProviderError
from workers.providers import faults
from workers.providers.exchange import Reading
from workers.providers.openai.errors import TITLE, meaning
from workers.providers.seen import Kind, Seen


class Responses:
    """The wire of the Responses API; nothing of a question is left stored at OpenAI."""

    title = TITLE

    def __init__(self, sdk: AsyncOpenAI) -> None:
        self._sdk = sdk

    async def ask(self, question: Question, model: str) -> AsyncIterator[object]:
        """Its events."""
        turns: list[ResponseInputItemParam] = [
            {"role": turn.role, "content": turn.content} for turn in question.turns
        ]
        return await self._sdk.responses.create(
            model=model,
            input=turns,
            instructions=question.system or omit,
            max_output_tokens=question.max_output_tokens or omit,
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

    def read(self, event: object) -> str:
        match Kind.model_validate(event).type:
            case "response.output_text.delta" | "response.refusal.delta":
                return _Delta.model_validate(event).delta
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
        )
