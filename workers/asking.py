"""Asking a provider: up to three tries, each streamed into the part from its beginning."""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import asdict

import orjson
import structlog
from opentelemetry.trace import Tracer
from pydantic import JsonValue

from jobs.errors import AnswerFailed
from jobs.kind import Answer, Call, Question, Usage
from jobs.log import Line
from jobs.model import Failure, known
from jobs.traces import UNTRACED
from workers import spans
from workers.part import PartWriter
from workers.provider import Finish, Pricing, Provider, ProviderError, ProviderTruncated, Text
from workers.witness import Unwatched, Witness

TRIES = 3
FIRST_BACK_OFF_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0
"""A provider that asks for a longer pause is not waited for: the listener is better told."""

RATE_LIMIT_SECONDS = 300.0
"""How long a job leaves a provider alone that has been asked too often and does not say for how long."""

GROWTH_SECONDS = 0.5
"""How long a provisional result stands before the next."""

Growing = Callable[[str], JsonValue]

log = structlog.get_logger(__name__)


class Asking:
    """One question to one provider, answered into one part. `provider` None: no key is set for it; `growing` makes of
    the text so far the part's provisional result."""

    def __init__(
        self,
        provider: Provider | None,
        price: Pricing,
        part: PartWriter,
        growing: Growing | None = None,
        witness: Witness | None = None,
        tracer: Tracer = UNTRACED,
    ) -> None:
        self._provider = provider
        self._price = price
        self._part = part
        self._growing = growing
        self._witness = witness or Unwatched()
        self._tracer = tracer
        self._grown_at = float("-inf")

    @staticmethod
    def answer(kept: bytes) -> Answer:
        """The answer that an earlier attempt kept."""
        held = orjson.loads(kept)
        usage = known(Usage, held["usage"]) if held["usage"] else None
        calls = tuple(known(Call, call) for call in held.get("calls", ()))
        return known(Answer, {**held, "usage": usage, "calls": calls})

    async def ask(
        self, question: Question, *, kept: Callable[[JsonValue], Line], failed: Callable[[], Line]
    ) -> Answer:
        """The complete answer, written with the line that keeps it; AnswerFailed, written with the other line."""
        if self._provider is None:
            return await self._refuse(question, failed())
        for attempt in range(1, TRIES + 1):
            try:
                answer = await self._watched(self._provider, question, attempt)
            except ProviderError as error:
                pause = _pause(error, attempt)
                if pause is None:
                    await self._part.fail(_failure(error), failed())
                    asked = error.retry_after or (RATE_LIMIT_SECONDS if error.rate_limited else 0.0)
                    raise AnswerFailed(
                        error.code, error.detail, retryable=error.retryable, wait_seconds=asked
                    ) from error
                await self._part.note(_failure(error))
                await asyncio.sleep(pause)
            else:
                result = self._growing(answer.text) if self._growing and answer.text else None
                await self._part.complete(answer, result, kept(asdict(answer)))
                return answer
        raise AssertionError("the last try either answers or fails")

    async def _refuse(self, question: Question, failed: Line) -> Answer:
        code, detail = "provider-not-configured", f"No key is set for {question.provider}."
        await self._part.begin(model=question.model)
        title = "The provider is not configured"
        await self._part.fail(Failure(type=code, title=title, detail=detail, retryable=False), failed)
        raise AnswerFailed(code, detail, retryable=False)

    async def _watched(self, provider: Provider, question: Question, attempt: int) -> Answer:
        """The answer to one try, of which those who watch are told."""
        model = question.model or provider.default_model
        bound = structlog.contextvars.bound_contextvars(provider=provider.name)
        with bound, spans.question(self._tracer, provider.name, model, attempt) as span:
            log.info("provider asked", nth=attempt)
            try:
                answer = await self._answer(provider, question)
            except ProviderError as error:
                self._witness.refused(provider.name, error.code)
                log.warning("provider failed", error=error.code, retryable=error.retryable)
                raise
            spans.answered(span, answer)
            log.info("provider answered", **_figures(answer))
        self._witness.answered(provider.name, answer)
        return answer

    async def _answer(self, provider: Provider, question: Question) -> Answer:
        asked = time.monotonic()
        first: float | None = None
        finish: Finish | None = None
        await self._part.begin(model=question.model or provider.default_model)
        async with aclosing(provider.stream(question)) as pieces:
            async for piece in pieces:
                match piece:
                    case Text(text=text) if text:
                        if first is None:
                            first = round(time.monotonic() - asked, 3)
                        await self._part.add(text)
                        self._grow()
                    case Finish():
                        finish = piece
        if finish is None:
            raise ProviderTruncated(f"{provider.name} stopped before its answer was complete.", retryable=True)
        text = await self._part.finish_text()
        seconds = round(time.monotonic() - asked, 3)
        return Answer(text, finish.model, self._usage(finish), seconds, first, finish.calls)

    def _grow(self) -> None:
        if self._growing is None or time.monotonic() - self._grown_at < GROWTH_SECONDS:
            return
        self._grown_at = time.monotonic()
        if (result := self._growing(self._part.text)) is not None:
            self._part.grow(result)

    def _usage(self, finish: Finish) -> Usage | None:
        if finish.input_tokens is None or finish.output_tokens is None:
            return None
        cost = self._price(finish.model, finish.input_tokens, finish.output_tokens)
        return Usage(finish.input_tokens, finish.output_tokens, cost)


def _figures(answer: Answer) -> dict[str, str | float | None]:
    """What a log may tell of an answer: nothing that it says."""
    usage = asdict(answer.usage) if answer.usage else {}
    return {"model": answer.model, "seconds": answer.elapsed, "first_token_seconds": answer.first_token, **usage}


def _failure(error: ProviderError) -> Failure:
    return Failure(type=error.code, title=error.title, detail=error.detail, retryable=error.retryable)


def _pause(error: ProviderError, attempt: int) -> float | None:
    """Seconds until the next try, or None where none may follow."""
    if not error.retryable or attempt == TRIES:
        return None
    spread = random.uniform(0, FIRST_BACK_OFF_SECONDS * 2 ** (attempt - 1))  # noqa: S311  # spreads load only
    wait = max(spread, error.retry_after or 0)
    return wait if wait <= LONGEST_WAIT_SECONDS else None
