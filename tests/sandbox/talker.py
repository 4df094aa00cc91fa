"""The contract of a talker: one official SDK, asking the sandbox in its own words."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pydantic

from sandbox.question import Provider

PATIENCE_SECONDS = 10.0  # how long a talker waits for the next byte, unless said

# What an SDK takes is a TypedDict of its own with a hundred members; a talker makes it of plain ones.
Params = dict[str, Any]


@dataclass(frozen=True)
class Called:
    """A tool call."""

    id: str
    name: str
    arguments: Mapping[str, object]


@dataclass(frozen=True)
class Ask:
    """A request, in no SDK's words; `answered` are the calls of each turn since, which all brought `rain`."""

    text: str
    model: str = "sandbox"
    earlier: tuple[tuple[str, str], ...] = ()
    image: bytes | None = None
    schema: Mapping[str, object] | None = None
    tools: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    only_tool: str | None = None
    no_tools: bool = False
    answered: tuple[tuple[Called, ...], ...] = ()
    max_tokens: int = 4000

    def told(self, model_role: str) -> list[tuple[str, str]]:
        """The earlier turns, each with its role."""
        return [turn for asked, said in self.earlier for turn in (("user", asked), (model_role, said))]

    @property
    def image_base64(self) -> str:
        """The image, encoded."""
        return base64.b64encode(self.image or b"").decode()


@dataclass
class Said:
    """What came back, in no SDK's words; `ended` is the wire's own reason, None without a terminal marker."""

    events: list[pydantic.BaseModel] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    calls: list[Called] = field(default_factory=list)
    ended: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def called(self) -> Called | None:
        """The first call."""
        return next(iter(self.calls), None)


class Talker(Protocol):
    """One SDK, speaking one wire format."""

    provider: Provider
    reasons: Mapping[str, str]  # how the wire says that an answer is `whole`, a `call` or `truncated`

    async def answer(self, ask: Ask) -> Said:
        """The answer in one body."""

    async def stream(self, ask: Ask) -> Said:
        """The answer as it came, the SDK's own exceptions included."""
