"""A short good answer on each wire, frame by frame, to be broken by the tests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from tests.providers.subjects import ANTHROPIC, CHAT, GOOGLE, RESPONSES

Json = dict[str, object]

TEXTS = ("Grüße, ", "Welt 👋🏽!")


@dataclass(frozen=True)
class Sample:
    """The frames of an answer: those before its words, one for each of `TEXTS`, and those that end it."""

    before: tuple[bytes, ...]
    words: tuple[bytes, ...]
    after: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        """The whole answer."""
        return b"".join((*self.before, *self.words, *self.after))


def frame(data: object, name: str | None = None) -> bytes:
    """One frame; its JSON is what `json` makes of the data, or the string itself if it is one."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"event: {name}\ndata: {text}\n\n".encode() if name else f"data: {text}\n\n".encode()


def _named(data: Json) -> bytes:
    return frame(data, str(data["type"]))


def _response(kind: str, **fields: object) -> bytes:
    return _named({"type": kind, "sequence_number": 0, "response": {"id": "r", "model": "m", **fields}})


def _responses_word(text: object) -> bytes:
    return _named({"type": "response.output_text.delta", "sequence_number": 1, "item_id": "i", "delta": text})


def _chat_chunk(delta: Json, finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return frame({"id": "c", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


def _chat_word(text: object) -> bytes:
    return _chat_chunk({"content": text})


def _anthropic_word(text: object) -> bytes:
    return _named({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})


def _google_word(text: object, finish_reason: str | None = None) -> bytes:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": finish_reason, "index": 0}
    usage = {"promptTokenCount": 3, "candidatesTokenCount": 4, "thoughtsTokenCount": 1}
    return frame({"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"})


WORD = {
    RESPONSES.id: _responses_word,
    CHAT.id: _chat_word,
    ANTHROPIC.id: _anthropic_word,
    GOOGLE.id: _google_word,
}
"""The frame of each wire that carries a word, which may be anything but a word."""

SAMPLES: Mapping[str, Sample] = {
    RESPONSES.id: Sample(
        before=(_response("response.created", status="in_progress"),),
        words=tuple(map(_responses_word, TEXTS)),
        after=(_response("response.completed", status="completed", usage={"input_tokens": 3, "output_tokens": 5}),),
    ),
    CHAT.id: Sample(
        before=(_chat_chunk({"role": "assistant", "content": ""}),),
        words=tuple(map(_chat_word, TEXTS)),
        after=(
            _chat_chunk({}, "stop"),
            frame({"model": "m", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5}}),
            frame("[DONE]"),
        ),
    ),
    ANTHROPIC.id: Sample(
        before=(
            _named(
                {
                    "type": "message_start",
                    "message": {"id": "a", "model": "m", "usage": {"input_tokens": 3, "output_tokens": 1}},
                }
            ),
            _named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        ),
        words=tuple(map(_anthropic_word, TEXTS)),
        after=(
            _named({"type": "content_block_stop", "index": 0}),
            _named({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 5}}),
            _named({"type": "message_stop"}),
        ),
    ),
    GOOGLE.id: Sample(before=(), words=tuple(map(_google_word, TEXTS)), after=(_google_word("", "STOP"),)),
}
