"""Anthropic's Messages API by its SDK: its terminal marker is `message_stop`."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import httpx2
from anthropic import APIConnectionError, APIStatusError, AsyncAnthropic, omit
from anthropic.types import MessageParam

from jobs.kind import Question, Turn
from workers.provider import Finish, Piece, ProviderError
from workers.providers import faults
from workers.providers.exchange import Exchange, Reading
from workers.providers.limits import Limits
from workers.providers.seen import Kind, Seen

BASE_URL = "https://api.anthropic.com"
DEFAULT_MODEL = "claude-haiku-5-5"
DEFAULT_MAX_OUTPUT_TOKENS = 32_000  # the API wants a number, and thinking counts towards it
TITLE = "Anthropic"


class Anthropic:
    """Anthropic, or a server at `base_url` that speaks its Messages API."""

    name: Final = "anthropic"

    def __init__(
        self,
        http: httpx2.AsyncClient,
        *,
        api_key: str,
        base_url: str | None = None,
        default_model: str | None = None,
        limits: Limits,
    ) -> None:
        sdk = AsyncAnthropic(
            api_key=api_key,
            base_url=base_url or BASE_URL,
            http_client=http,
            max_retries=0,
            open_telemetry=False,  # its spans may hold prompts
        )
        self._wire = _Messages(sdk)
        self._limits = limits
        self.default_model = default_model or DEFAULT_MODEL

    def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        """The answer piece by piece, then Finish."""
        return Exchange(self._wire, question, question.model or self.default_model, self._limits).pieces()


class _Messages:
    title = TITLE

    def __init__(self, sdk: AsyncAnthropic) -> None:
        self._sdk = sdk

    async def ask(self, question: Question, model: str) -> AsyncIterator[object]:
        return await self._sdk.messages.create(
            model=model,
            messages=[_message(turn) for turn in question.turns],
            system=question.system or omit,
            max_tokens=question.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS,
            stream=True,
        )

    def reading(self, model: str) -> Reading:
        return _Reading(model)

    def fault(self, error: Exception) -> ProviderError | None:
        match error:
            case APIStatusError(status_code=200):  # an error in the middle of the stream
                return faults.failed(TITLE, error.type)
            case APIStatusError():
                wait = faults.retry_after(error.response.headers)
                return faults.refused(TITLE, error.status_code, word=error.type, retry_after=wait)
            case APIConnectionError():
                return faults.of_transport(TITLE, error.__cause__) or faults.cut(TITLE)
        return None


def _message(turn: Turn) -> MessageParam:
    if turn.role == "user":
        return {"role": "user", "content": turn.content}
    return {"role": "assistant", "content": turn.content}


class _Used(Seen):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def all_input_tokens(self) -> int | None:
        if self.input_tokens is None:
            return None
        return self.input_tokens + (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)


class _Message(Seen):
    model: str
    usage: _Used


class _Start(Seen):
    message: _Message


class _Text(Seen):
    text: str


class _BlockDelta(Seen):
    delta: Kind


class _TextDelta(Seen):
    delta: _Text


class _Stop(Seen):
    stop_reason: str | None = None


class _MessageDelta(Seen):
    delta: _Stop
    usage: _Used | None = None


class _Reading:
    def __init__(self, model: str) -> None:
        self.finish: Finish | None = None
        self._so_far = Finish(model)

    def read(self, event: object) -> str:
        match Kind.model_validate(event).type:
            case "message_start":
                self._start(_Start.model_validate(event).message)
            case "content_block_delta" if _BlockDelta.model_validate(event).delta.type == "text_delta":
                return _TextDelta.model_validate(event).delta.text
            case "message_delta":
                self._turn(_MessageDelta.model_validate(event))
            case "message_stop":
                self.finish = self._so_far
        return ""

    def _start(self, message: _Message) -> None:
        self._so_far = Finish(message.model, message.usage.all_input_tokens, message.usage.output_tokens)

    def _turn(self, change: _MessageDelta) -> None:
        if change.delta.stop_reason == "refusal":
            raise faults.withheld(TITLE, change.delta.stop_reason)
        if used := change.usage:
            self._so_far = Finish(
                model=self._so_far.model,
                input_tokens=used.all_input_tokens or self._so_far.input_tokens,
                output_tokens=used.output_tokens or self._so_far.output_tokens,
            )
