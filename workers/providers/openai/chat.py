"""Chat Completions, as servers that are compatible with OpenAI speak it: its terminal marker is a
`finish_reason`, after which one more chunk may bring the usage."""

from collections.abc import AsyncIterator

from openai import AsyncOpenAI, omit

from jobs.kind import Question
from workers.provider import Finish, ProviderError
from workers.providers import faults
from workers.providers.calls import Calls
from workers.providers.exchange import Reading
from workers.providers.openai.chat_messages import messages, response_format, tool_param
from workers.providers.openai.errors import TITLE, meaning
from workers.providers.seen import Seen


class ChatCompletions:
    """The wire of Chat Completions."""

    title = TITLE

    def __init__(self, sdk: AsyncOpenAI) -> None:
        self._sdk = sdk

    async def ask(self, question: Question, model: str) -> AsyncIterator[object]:
        """Its chunks."""
        return await self._sdk.chat.completions.create(
            model=model,
            messages=messages(question),
            max_tokens=question.max_output_tokens or omit,  # compatible servers know it by its old name
            response_format=response_format(question.shape) if question.shape else omit,
            tools=[tool_param(tool) for tool in question.tools] or omit,
            stream=True,
            stream_options={"include_usage": True},
        )

    def reading(self, model: str) -> Reading:
        """What is understood of one answer."""
        return _Reading(model)

    def fault(self, error: Exception) -> ProviderError | None:
        """What an exception of the SDK means."""
        return meaning(error)


class _Function(Seen):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(Seen):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(Seen):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(Seen):
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Usage(Seen):
    prompt_tokens: int
    completion_tokens: int


class _Chunk(Seen):
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class _Reading:
    def __init__(self, model: str) -> None:
        self.finish: Finish | None = None
        self._model = model
        self._calls = Calls(TITLE)
        self._used: _Usage | None = None
        self._ended = False

    def read(self, event: object) -> str:
        chunk = _Chunk.model_validate(event)
        self._model = chunk.model or self._model
        self._used = chunk.usage or self._used
        text = "".join(self._hear(choice) for choice in (chunk.choices or [])[:1])
        if self._ended:
            self.finish = Finish(
                model=self._model,
                input_tokens=self._used.prompt_tokens if self._used else None,
                output_tokens=self._used.completion_tokens if self._used else None,
                calls=self._calls.whole(),
            )
        return text

    def _hear(self, choice: _Choice) -> str:
        if choice.finish_reason == "content_filter":
            raise faults.withheld(TITLE, choice.finish_reason)
        self._ended = self._ended or bool(choice.finish_reason)
        if choice.delta is None:
            return ""
        for call in choice.delta.tool_calls or []:
            self._hear_call(call)
        return choice.delta.content or choice.delta.refusal or ""

    def _hear_call(self, call: _ToolCall) -> None:
        """Some compatible servers send a call whole and without its place."""
        function = call.function or _Function()
        place = self._calls.next_place if call.index is None else call.index
        if function.name and not self._calls.has(place):
            self._calls.begin(place, call_id=call.id, name=function.name)
        self._calls.add(place, function.arguments or "")
