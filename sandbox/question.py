"""What a request asks, free of the wire format it came in."""

from dataclasses import dataclass
from typing import Literal

from sandbox.schema import Schema

Provider = Literal["openai", "anthropic", "google"]


@dataclass(frozen=True)
class Tool:
    """A tool that may be called."""

    name: str
    parameters: Schema


@dataclass(frozen=True)
class Image:
    """A picture: its bytes and a digest of them, or 0 and a digest of its address."""

    size: int
    digest: str


@dataclass(frozen=True)
class Result:
    """What a tool answered; `call` names the call as its turn does."""

    call: str
    text: str


@dataclass(frozen=True)
class Turn:
    """One message of the conversation; `calls` are the names by which their results refer to them."""

    role: Literal["user", "assistant"]
    text: str = ""
    images: tuple[Image, ...] = ()
    calls: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()

    @property
    def speaks(self) -> bool:
        """Whether somebody says something here; a turn may hold only tool calls or their results."""
        return bool(self.text or self.images)


@dataclass(frozen=True)
class Question:
    """A whole request: the conversation, and how the answer should look."""

    provider: Provider
    model: str
    turns: tuple[Turn, ...]
    streamed: bool
    system: str = ""
    tools: tuple[Tool, ...] = ()
    schema: Schema | None = None
    max_tokens: int | None = None
    usage_in_stream: bool = True

    @property
    def asked(self) -> Turn:
        """The last turn in which the user says something."""
        return self.turns[self._asked_at] if self.turns else Turn("user")

    @property
    def told(self) -> str:
        """Everything that the user said."""
        return "\n".join(turn.text for turn in self.turns if turn.role == "user" and turn.text)

    @property
    def earlier_turns(self) -> int:
        """How many turns of user and model came before the one that asks."""
        return sum(turn.speaks for turn in self.turns[: self._asked_at])

    @property
    def earlier_answers(self) -> int:
        """How many answers the model gave before; a turn that calls tools is none."""
        return sum(turn.role == "assistant" and turn.speaks and not turn.calls for turn in self.turns)

    @property
    def results(self) -> tuple[Result, ...]:
        """What tools have answered since the user asked."""
        return self.results_since(self._asked_at)

    def results_since(self, place: int) -> tuple[Result, ...]:
        """What tools have answered since this turn."""
        return tuple(result for turn in self.turns[place:] for result in turn.results)

    @property
    def loose_end(self) -> str | None:
        """The first call without a result, or result without a call, which no provider takes."""
        waiting: list[str] = []
        for turn in self.turns:
            for result in turn.results:
                if result.call not in waiting:
                    return f"Nothing was called that {result.call} could be the result of."
                waiting.remove(result.call)
            if waiting and turn.speaks and turn.role == "user":
                break
            waiting += turn.calls
        return f"The call {waiting[0]} has no result." if waiting else None

    @property
    def _asked_at(self) -> int:
        asking = (place for place, turn in enumerate(self.turns) if turn.role == "user" and turn.speaks)
        return max(asking, default=0)
