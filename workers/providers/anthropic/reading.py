"""What the events of a message mean."""

from dataclasses import replace

import orjson

from workers.provider import Finish
from workers.providers import faults
from workers.providers.calls import Calls
from workers.providers.seen import Kind, Seen

TITLE = "Anthropic"


class _Used(Seen):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def all_input_tokens(self) -> int | None:
        if self.input_tokens is None:
            return None
        return self.input_tokens + (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)


class _Message(Seen):
    model: str
    usage: _Used


class _Start(Seen):
    message: _Message


class _Block(Seen):
    """A block as it begins; all that a type doesn't have is None."""

    type: str
    id: str | None = None
    name: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None


class _BlockStart(Seen):
    index: int
    content_block: _Block


class _BlockDelta(Seen):
    delta: Kind


class _Text(Seen):
    text: str


class _TextDelta(Seen):
    delta: _Text


class _Json(Seen):
    partial_json: str


class _JsonDelta(Seen):
    index: int
    delta: _Json


class _Thinking(Seen):
    thinking: str = ""
    signature: str = ""


class _ThinkingDelta(Seen):
    delta: _Thinking


class _Stop(Seen):
    stop_reason: str | None = None


class _MessageDelta(Seen):
    delta: _Stop
    usage: _Used | None = None


class MessageReading:
    """What is understood of one message."""

    def __init__(self, model: str) -> None:
        self.finish: Finish | None = None
        self._so_far = Finish(model)
        self._calls = Calls(TITLE)
        self._thoughts: list[dict[str, str]] = []

    def read(self, event: object) -> str:
        """The text that the event adds."""
        match Kind.model_validate(event).type:
            case "message_start":
                self._start(_Start.model_validate(event).message)
            case "content_block_start":
                self._begin(_BlockStart.model_validate(event))
            case "content_block_delta":
                return self._add(event)
            case "message_delta":
                self._turn(_MessageDelta.model_validate(event))
            case "message_stop":
                self.finish = replace(self._so_far, calls=self._calls.whole())
        return ""

    def _start(self, message: _Message) -> None:
        self._so_far = Finish(message.model, message.usage.all_input_tokens, message.usage.output_tokens)

    def _begin(self, started: _BlockStart) -> None:
        match started.content_block:
            case _Block(type="tool_use", id=call_id, name=str(name)):
                self._calls.begin(started.index, call_id=call_id, name=name, token=self._token())
            case _Block(type="thinking") as block:
                thought = {"thinking": block.thinking or "", "signature": block.signature or ""}
                self._thoughts.append({"type": "thinking", **thought})
            case _Block(type="redacted_thinking", data=str(data)):
                self._thoughts.append({"type": "redacted_thinking", "data": data})

    def _token(self) -> str | None:
        """The thoughts since the last call, which the API wants to see again, unchanged."""
        token = orjson.dumps(self._thoughts).decode() if self._thoughts else None
        self._thoughts.clear()
        return token

    def _add(self, event: object) -> str:
        match _BlockDelta.model_validate(event).delta.type:
            case "text_delta":
                return _TextDelta.model_validate(event).delta.text
            case "input_json_delta":
                more = _JsonDelta.model_validate(event)
                self._calls.add(more.index, more.delta.partial_json)
            case "thinking_delta" | "signature_delta" if self._thoughts:
                added = _ThinkingDelta.model_validate(event).delta
                self._thoughts[-1]["thinking"] += added.thinking
                self._thoughts[-1]["signature"] += added.signature
        return ""

    def _turn(self, change: _MessageDelta) -> None:
        if change.delta.stop_reason == "refusal":
            raise faults.withheld(TITLE, change.delta.stop_reason)
        if used := change.usage:
            self._so_far = Finish(
                model=self._so_far.model,
                input_tokens=used.all_input_tokens or self._so_far.input_tokens,
                output_tokens=used.output_tokens or self._so_far.output_tokens,
            )
