"""The contract of a wire format: how a question is read from it and an answer written in it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from sandbox.answer import Answer
from sandbox.draw import digest
from sandbox.question import Image, Provider, Question

Json = dict[str, object]


@dataclass(frozen=True)
class Frame:
    """One write to the client; it is due at once, unless it carries a `piece` of the answer."""

    data: str
    before: str = "data: "
    after: str = "\n\n"
    piece: str = ""

    def encode(self) -> bytes:
        """The bytes to send."""
        return f"{self.before}{self.data}{self.after}".encode()


class Wire(Protocol):
    """One API of one provider; each module of a wire format is one of these."""

    provider: Provider
    paths: tuple[str, ...]
    status_without_key: int

    def admits(self, request: Request, /) -> bool:
        """Whether the request carries a key, whichever it is."""

    def read(self, body: bytes, path: str, /) -> Question:
        """The question in a request; pydantic's ValidationError where the provider would answer 400."""

    def whole(self, question: Question, answer: Answer, /) -> Json:
        """The answer in one body."""

    def frames(self, question: Question, answer: Answer, /) -> Iterator[Frame]:
        """The answer as a stream, its terminal marker last."""

    def failure(self, place: int, /) -> Frame:
        """The event that tells of an error in a stream, as its frame at this place."""

    def refusal(self, status: int, message: str, /) -> Json:
        """The body of an error."""


def event(name: str, data: Mapping[str, object], *, piece: str = "") -> Frame:
    """A named event of a stream."""
    return Frame(dump(data), before=f"event: {name}\ndata: ", piece=piece)


def dump(data: object) -> str:
    """JSON as the providers send it: in one line, letters of any script as they are."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def image_of(source: str) -> Image:
    """The image given as base64 or data URL, or by its address."""
    if source.startswith(("http:", "https:")):
        return Image(0, digest(source))
    encoded = source.rpartition(",")[2]
    return Image(len(encoded.rstrip("=")) * 3 // 4, digest(encoded))
