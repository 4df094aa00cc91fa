"""Google's generate_content_stream by its SDK: its terminal marker is a candidate's `finish_reason`."""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import httpx2
from google import genai
from google.genai.errors import APIError
from google.genai.types import AutomaticFunctionCallingConfig, ContentDict, GenerateContentConfig, HttpOptions

from jobs.kind import Question
from workers.provider import Finish, Piece, ProviderError
from workers.providers import faults
from workers.providers.exchange import Exchange, Reading
from workers.providers.limits import Limits
from workers.providers.seen import Seen

API_VERSION = "v1"
BASE_URL = "https://generativelanguage.googleapis.com"
DEFAULT_MODEL = "gemini-3.8-flash"
TITLE = "Google"


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
        turns: list[ContentDict] = [
            {"role": "user" if turn.role == "user" else "model", "parts": [{"text": turn.content}]}
            for turn in question.turns
        ]
        config = GenerateContentConfig(
            system_instruction=question.system,
            max_output_tokens=question.max_output_tokens,
            automatic_function_calling=AutomaticFunctionCallingConfig(disable=True),
            automatic_continuation=False,  # it would ask again where a stream is cut
        )
        return await self._sdk.aio.models.generate_content_stream(model=model, contents=turns, config=config)

    def reading(self, model: str) -> Reading:
        return _Reading(model)

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


class _Part(Seen):
    text: str | None = None
    thought: bool | None = None


class _Content(Seen):
    parts: list[_Part] | None = None


class _Candidate(Seen):
    content: _Content | None = None
    finish_reason: str | None = None

    @property
    def text(self) -> str:
        parts = (self.content and self.content.parts) or []
        return "".join(part.text or "" for part in parts if not part.thought)


class _Used(Seen):
    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None

    @property
    def output_tokens(self) -> int | None:
        """The answer's and the thoughts' tokens, which cost the same."""
        if self.candidates_token_count is None:
            return self.thoughts_token_count
        return self.candidates_token_count + (self.thoughts_token_count or 0)


class _Feedback(Seen):
    block_reason: str | None = None


class _Chunk(Seen):
    candidates: list[_Candidate] | None = None
    prompt_feedback: _Feedback | None = None
    usage_metadata: _Used | None = None
    model_version: str | None = None


_BROKEN_OFF = frozenset({"CONTINUATION", "OTHER", "MALFORMED_RESPONSE"})


class _Reading:
    def __init__(self, model: str) -> None:
        self.finish: Finish | None = None
        self._model = model
        self._used = _Used()
        self._ended = False

    def read(self, event: object) -> str:
        chunk = _Chunk.model_validate(event)
        self._model = chunk.model_version or self._model
        self._used = chunk.usage_metadata or self._used
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            raise faults.withheld(TITLE, chunk.prompt_feedback.block_reason)
        text = "".join(self._hear(candidate) for candidate in (chunk.candidates or [])[:1])
        if self._ended:
            self.finish = Finish(self._model, self._used.prompt_token_count, self._used.output_tokens)
        return text

    def _hear(self, candidate: _Candidate) -> str:
        match candidate.finish_reason:
            case None | "FINISH_REASON_UNSPECIFIED":
                pass
            case "STOP" | "MAX_TOKENS":
                self._ended = True
            case reason if reason in _BROKEN_OFF:
                raise faults.cut(TITLE)
            case reason:
                raise faults.withheld(TITLE, reason)
        return candidate.text
