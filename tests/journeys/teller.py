"""A provider that answers every question with a journey, and remembers what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from jobs.journey import Journey, JourneyStage
from jobs.kind import Question
from workers.provider import Finish, Piece, Text


def journey(title: str = "A return", *, letters: int = 0) -> Journey:
    """A journey of about so many letters."""
    stage = JourneyStage(name="x" * letters, steps=[])
    return Journey(title=title, summary="It takes long.", personas=["Ann"], stages=[stage])


@dataclass
class Teller:
    """Says of each question what `answer` makes of it; several at a time, each after a turn of the loop."""

    answer: Callable[[Question], str] = lambda _: journey().model_dump_json()
    name: str = "openai"
    default_model: str = "teller-1"
    asked: list[Question] = field(default_factory=list)
    answering: int = 0
    most_at_once: int = 0

    async def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        """The answer, in one piece."""
        self.asked.append(question)
        self.answering += 1
        self.most_at_once = max(self.most_at_once, self.answering)
        await asyncio.sleep(0.01)
        self.answering -= 1
        yield Text(self.answer(question))
        yield Finish(self.default_model)

    def words(self) -> list[str]:
        """What the user said last, of each question."""
        return [question.turns[-1].content for question in self.asked]
