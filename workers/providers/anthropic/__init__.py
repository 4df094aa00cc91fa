"""Anthropic's Messages API by its SDK: its terminal marker is `message_stop`."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import httpx2
from anthropic import APIConnectionError, APIStatusError, AsyncAnthropic, omit

from jobs.kind import Question
from workers.provider import Piece, ProviderError
from workers.providers import faults
from workers.providers.anthropic.messages import message, output_config, tool_param
from workers.providers.anthropic.reading import TITLE, MessageReading
from workers.providers.exchange import Exchange, Reading
from workers.providers.limits import Limits

BASE_URL = "https://api.anthropic.com"
DEFAULT_MODEL = "claude-haiku-5-5"
DEFAULT_MAX_OUTPUT_TOKENS = 32_000  # the API wants a number, and thinking counts towards it


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
            messages=[message(turn) for turn in question.turns],
            system=question.system or omit,
            output_config=output_config(question.shape) if question.shape else omit,
            tools=[tool_param(tool) for tool in question.tools] or omit,
            max_tokens=question.max_output_tokens or DEFAULT_MAX_OUTPUT_TOKENS,
            stream=True,
        )

    def reading(self, model: str) -> Reading:
        return MessageReading(model)

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
