"""Asking a provider, and what came of it."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from jobs.kind import Question, Turn
from workers.provider import Finish, Provider, ProviderError, Text

WAIT_SECONDS = 15.0


@dataclass(frozen=True)
class Outcome:
    """All that a provider gave: the text before the end or the failure, and the pieces that it had."""

    text: str
    pieces: int
    finish: Finish | None
    fault: ProviderError | None


async def outcome_of(provider: Provider, question: Question) -> Outcome:
    """Reads until there is no more, which must be soon; a second Finish, or a Text after it, fails the test."""
    texts: list[str] = []
    finish: Finish | None = None
    try:
        async with asyncio.timeout(WAIT_SECONDS), aclosing(provider.stream(question)) as pieces:
            async for piece in pieces:
                assert finish is None, "something came after Finish"
                if isinstance(piece, Text):
                    texts.append(piece.text)
                else:
                    finish = piece
    except ProviderError as fault:
        return Outcome("".join(texts), len(texts), finish, fault)
    return Outcome("".join(texts), len(texts), finish, None)


async def fault_of(provider: Provider, question: Question) -> ProviderError:
    """The failure, which must come, and without a Finish."""
    outcome = await outcome_of(provider, question)
    assert outcome.fault is not None, f"it answered: {outcome}"
    assert outcome.finish is None
    return outcome.fault


def ask(prompt: str = "What is tidal energy?", *, model: str | None = None) -> Question:
    """A question of one turn."""
    return Question(provider="", turns=(Turn("user", prompt),), model=model)
