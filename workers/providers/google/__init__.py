"""Google's generate_content_stream by its SDK: its terminal marker is a candidate's `finish_reason`."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import httpx2
from google import genai
from google.genai.errors import APIError
from google.genai.types import HttpOptions

from jobs.kind import Question
from workers.provider import Piece, ProviderError
from workers.providers import faults
from workers.providers.exchange import Exchange, Reading
from workers.providers.google.contents import config, content
from workers.providers.google.reading import TITLE, ContentReading
from workers.providers.limits import Limits

API_VERSION = "v1"
BASE_URL = "https://generativelanguage.googleapis.com"
DEFAULT_MODEL = "gemini-3.8-flash"


class Google:
    """Google's Gemini API, or a server at `base_url` that speaks it."""

    name: Final = "google"

    def __init__(
        self,
        http: httpx2.AsyncClient,
        *,
        api_key: str,
        base_url: str | None = None,
        api_version: str | None = None,
        default_model: str | None = None,
        limits: Limits,
    ) -> None:
        options = HttpOptions(
            base_url=base_url or BASE_URL, api_version=api_version or API_VERSION, httpx_async_client=http
        )
        self._wire = _GenerateContent(genai.Client(vertexai=False, api_key=api_key, http_options=options))
        self._limits = limits
        self.default_model = default_model or DEFAULT_MODEL

    def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        """The answer piece by piece, then Finish."""
        return Exchange(self._wire, question, question.model or self.default_model, self._limits).pieces()


class _GenerateContent:
    title = TITLE

    def __init__(self, sdk: genai.Client) -> None:
        self._sdk = sdk

    async def ask(self, question: Question, model: str) -> AsyncIterator[object]:
        if not _MODEL.fullmatch(model):  # it becomes part of the path
            raise faults.unsendable(TITLE)
        return await self._sdk.aio.models.generate_content_stream(
            model=model, contents=[content(turn) for turn in question.turns], config=config(question)
        )

    def reading(self, model: str) -> Reading:
        return ContentReading(model)

    def fault(self, error: Exception) -> ProviderError | None:
        if not isinstance(error, APIError):
            return None
        wait = _retry_delay(error.details)
        if wait is None and isinstance(error.response, httpx2.Response):
            wait = faults.retry_after(error.response.headers)
        return faults.refused(TITLE, error.code, word=error.status, retry_after=wait)


_MODEL = re.compile(r"(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")


def _retry_delay(body: object) -> float | None:
    """The wait that google.rpc.RetryInfo asks for in an error's body."""
    match body:
        case {"error": {"details": [*details]}}:
            delays = [detail.get("retryDelay") for detail in details if isinstance(detail, dict)]
            found = [_DELAY.fullmatch(delay) for delay in delays if isinstance(delay, str)]
            return next((faults.bounded(float(match[1])) for match in found if match), None)
    return None
