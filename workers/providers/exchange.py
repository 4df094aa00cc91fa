"""One question put to a provider and its answer as it comes: the part that is the same whatever the SDK."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import Protocol

from pydantic import ValidationError

from jobs.kind import Question
from workers.provider import Finish, Piece, ProviderError, Text
from workers.providers import faults
from workers.providers.limits import Limits


class Reading(Protocol):
    """What has been understood of one answer so far."""

    finish: Finish | None
    """Set by the terminal marker, and completed by usage that comes after it."""

    def read(self, event: object, /) -> str:
        """The text that an event of the SDK adds; ProviderError if it tells of a failure, pydantic's
        ValidationError if it is not what it should be."""


class Wire(Protocol):
    """One wire format, spoken by its SDK."""

    @property
    def title(self) -> str:
        """The provider's name as sentences have it."""

    async def ask(self, question: Question, model: str, /) -> AsyncIterator[object]:
        """The SDK's events, asked for once: retries are the caller's."""

    def reading(self, model: str, /) -> Reading: ...

    def fault(self, error: Exception, /) -> ProviderError | None:
        """What an exception of the SDK means; None if it is not the SDK's."""


class Exchange:
    """One question and its answer; `pieces` is called once."""

    def __init__(self, wire: Wire, question: Question, model: str, limits: Limits) -> None:
        self._wire = wire
        self._question = question
        self._model = model
        self._limits = limits
        self._reading = wire.reading(model)
        self._events: AsyncIterator[object] | None = None

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """The text as it comes and, after the terminal marker, Finish. Closing this drops the connection."""
        try:
            while (step := await self._step()) is not None:
                if isinstance(step, ProviderError):
                    if self._reading.finish is None:
                        raise step
                    break  # the answer was complete before this went wrong
                if step:
                    yield Text(step)
        finally:
            await self._leave()
        if self._reading.finish is None:
            raise faults.cut(self._wire.title)
        yield self._reading.finish

    async def _step(self) -> str | ProviderError | None:
        """The text that the next event adds; None at the end of the stream. A failure is a value, raised
        where no exception is handled: an SDK's, chained to it, would carry the request with its key along."""
        try:
            event = await self._next_event()
        except Exception as error:
            if (fault := self._meaning(error)) is None:
                raise
            return fault
        return None if event is None else self._understand(event)

    async def _next_event(self) -> object | None:
        async with asyncio.timeout(self._patience()):
            if self._events is None:
                self._events = await self._wire.ask(self._question, self._model)
            return await anext(self._events, None)

    def _patience(self) -> float:
        return self._limits.event_seconds if self._reading.finish is None else self._limits.tail_seconds

    def _understand(self, event: object) -> str | ProviderError:
        try:
            return self._reading.read(event)
        except ProviderError as fault:
            return fault
        except ValidationError:
            return faults.unreadable(self._wire.title)

    def _meaning(self, error: Exception) -> ProviderError | None:
        """None: a mistake of ours. But whatever an SDK raises while it reads is about what it read, even an
        AttributeError (a list where it looked for an object) or a RecursionError (a thousand brackets)."""
        title = self._wire.title
        if isinstance(error, ProviderError):
            error.__context__ = None  # it may have been raised in the middle of an SDK's own trouble
            return error
        if isinstance(error, TimeoutError):
            return faults.stuck(title, self._patience())
        fault = self._wire.fault(error) or faults.of_transport(title, error)
        return fault or (faults.unreadable(title) if self._events is not None else None)

    async def _leave(self) -> None:
        """End the SDK's reading by interrupting it, so that its nested generators close from within: closing
        the outermost one leaves google-genai's connection open until the garbage collector comes by."""
        if self._events is not None:
            with suppress(Exception):  # TimeoutError as a rule; whichever it is, the reading has ended
                async with asyncio.timeout(0):
                    async for _ in self._events:
                        pass
