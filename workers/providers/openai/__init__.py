"""OpenAI by its SDK: the Responses API, and Chat Completions for the servers that are compatible with it."""

from collections.abc import AsyncGenerator
from typing import Final, Literal

import httpx2
from openai import AsyncOpenAI

from jobs.kind import Question
from workers.provider import Piece
from workers.providers.exchange import Exchange, Wire
from workers.providers.limits import Limits
from workers.providers.openai.chat import ChatCompletions
from workers.providers.openai.responses import Responses

Api = Literal["responses", "chat"]

BASE_URL = "https://api.openai.com/v1"
DEFAULT_MODEL = "gpt-6-luna"


class OpenAI:
    """OpenAI, or a server at `base_url` that speaks one of its APIs."""

    name: Final = "openai"

    def __init__(
        self,
        http: httpx2.AsyncClient,
        *,
        api_key: str,
        base_url: str | None = None,
        api: Api = "responses",
        default_model: str | None = None,
        limits: Limits,
    ) -> None:
        sdk = AsyncOpenAI(api_key=api_key, base_url=base_url or BASE_URL, http_client=http, max_retries=0)
        self._wire: Wire = Responses(sdk)
        if api == "chat":
            self._wire = ChatCompletions(sdk)
        self._limits = limits
        self.default_model = default_model or DEFAULT_MODEL

    def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        """The answer piece by piece, then Finish."""
        return Exchange(self._wire, question, question.model or self.default_model, self._limits).pieces()
