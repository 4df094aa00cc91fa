"""Server-sent events out of bytes, read as the HTML standard has it."""

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass

from jobstream.client.errors import NotUnderstood

MOST_CHARACTERS = 64 << 20
"""The largest event: a snapshot with every text of its job."""


@dataclass(frozen=True)
class Event:
    """One event; `id` is None where it brought none of its own."""

    name: str
    data: str
    id: str | None


class EventParser:
    """Takes one stream's bytes as they come, cut wherever."""

    def __init__(self, *, retry_ms: int, most_characters: int = MOST_CHARACTERS) -> None:
        self.retry_ms = retry_ms
        """How long to stay away after a cut; the server may ask for another time."""
        utf8 = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._characters = io.IncrementalNewlineDecoder(utf8, translate=True)
        self._waiting = ""
        self._most_characters = most_characters

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that are whole with this chunk; NotUnderstood for one that nobody means."""
        self._waiting += self._characters.decode(chunk)
        *blocks, self._waiting = self._waiting.split("\n\n")
        if len(self._waiting) > self._most_characters:
            raise NotUnderstood(f"The stream holds an event of more than {self._most_characters} characters.")
        for block in blocks:
            if event := self._read(block):
                yield event

    def _read(self, block: str) -> Event | None:
        name, data, identity = "message", list[str](), None
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match field:
                case "event":
                    name = value
                case "data":
                    data.append(value)
                case "id" if "\0" not in value:
                    identity = value
                case "retry" if value.isascii() and value.isdigit():
                    self.retry_ms = int(value)
        return Event(name, "\n".join(data), identity) if data else None
