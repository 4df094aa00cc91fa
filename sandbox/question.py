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
class Turn:
    """One message of the conversation; `images` are sizes in bytes, 0 for one given by its address."""

    role: Literal["user", "assistant"]
    text: str = ""
    images: tuple[int, ...] = ()
    tool_results: int = 0

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
    def earlier_turns(self) -> int:
        """How many turns of user and model came before the one that asks."""
        return sum(turn.speaks for turn in self.turns[: self._asked_at])

    @property
    def tool_results(self) -> int:
        """How many tools have answered since the user asked."""
        return sum(turn.tool_results for turn in self.turns[self._asked_at :])

    @property
    def _asked_at(self) -> int:
        asking = (place for place, turn in enumerate(self.turns) if turn.role == "user" and turn.speaks)
        return max(asking, default=0)
