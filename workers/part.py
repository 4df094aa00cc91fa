"""One part of a running job: begins, grows word by word, and ends with what proves its text."""

from dataclasses import asdict
from typing import Any

import orjson
from pydantic import JsonValue

from jobs.kind import Answer
from jobs.log import Line, part_head
from jobs.model import UNSET_PART, Failure, JsonObject
from jobs.updates import PartChanged, encode, one_line, sha256
from workers.writer import PartText, Writer


class PartWriter:
    """Writes one part of one claim; `before` is what earlier attempts left of it."""

    def __init__(self, writer: Writer, name: str, before: JsonObject | None) -> None:
        self._writer = writer
        self._name = name
        self._whole: JsonObject = UNSET_PART | (before or {})
        self._text = PartText()

    @property
    def text(self) -> str:
        """The provider's words so far."""
        return self._text.so_far

    async def begin(self, *, model: str | None) -> None:
        """Start the part, or start it again: its text is empty and all else that it held is gone."""
        self._text = self._writer.open_text(self._name)
        attempt = self._whole["attempt"] + 1
        changes = UNSET_PART | {"state": "running", "attempt": attempt, "model": model}
        await self._writer.write(self._line(changes, write="="))

    async def add(self, text: str) -> None:
        """Append the provider's next words."""
        await self._writer.write_text(self._name, text)

    def grow(self, result: JsonValue) -> None:
        """Tell what the text so far comes to, if that is news, with the words that leave next."""
        if self._whole["result"] != result:
            self._writer.write_later(self._line({"result": result}))

    async def show(self, result: JsonValue) -> None:
        """Tell the part's result, unless it is the one that it has; a part that has not begun is complete with it."""
        if self._whole["state"] == "pending":
            proof = {"attempt": self._whole["attempt"] + 1, "length": 0, "sha256": sha256("")}
            whole = UNSET_PART | {"state": "completed", "result": result, **proof}
            await self._writer.write(self._line(whole, write="="))
        elif self._whole["result"] != result:
            await self._writer.write(self._line({"result": result}))

    async def note(self, error: Failure) -> None:
        """Say why this try failed, while another follows."""
        await self._writer.write(self._line({"error": error.model_dump()}))

    async def complete(self, answer: Answer, result: JsonValue, *also: Line) -> None:
        """End the part with its answer and, unless None, what that comes to; `also` is written in the same act."""
        await self.finish_text()
        facts = asdict(answer)
        changes = {name: facts[name] for name in ("model", "usage", "elapsed", "first_token")}
        shown = {} if result in (None, self._whole["result"]) else {"result": result}
        await self._end({"state": "completed", "error": None, **changes, **shown}, also)

    async def fail(self, error: Failure, *also: Line) -> None:
        """End the part without an answer; the text so far stays."""
        await self.finish_text()
        await self._end({"state": "failed", "error": error.model_dump()}, also)

    async def finish_text(self) -> str:
        """The whole text, once no more words come."""
        self._text.close()
        await self._writer.write()
        return self._text.all

    async def _end(self, changes: JsonObject, also: tuple[Line, ...]) -> None:
        length, digest = self._text.length, self._text.digest
        changes |= {"length": length, "sha256": digest}
        line = self._line(changes, write="=", text=self._text.all.encode())
        await self._writer.write(line, *also)

    def _line(self, changes: dict[str, Any], *, write: str = "", text: bytes = b"") -> Line:
        self._whole = {**self._whole, **changes}
        stored = {name: value for name, value in self._whole.items() if name != "text"}
        body = encode(PartChanged(part=self._name, **changes))
        value = one_line(orjson.dumps(stored))
        return Line("part", body, name=self._name, head=part_head(self._whole), value=value, write=write, text=text)
