"""Answers on each wire that call tools: with arguments that may be anything, and with thoughts between them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.providers.samples import Json, frame
from tests.providers.subjects import ANTHROPIC, CHAT, GOOGLE, RESPONSES

_FIRST: Json = {"name": "list_metrics", "arguments": "{}"}
_SECOND: Json = {"name": "query_metric", "arguments": '{"metric":"größe"}'}


@dataclass(frozen=True)
class Thoughtful:
    """An answer of a text and two calls, `c1` and `c2`, and what must follow the first turn in this field of the next
    request, once the calls brought `one` and `two`."""

    body: bytes
    field: str
    sent_back: list[Json]


def _named(*events: Json) -> bytes:
    return b"".join(frame(event, str(event["type"])) for event in events)


def _done(item: Json) -> Json:
    return {"type": "response.output_item.done", "output_index": 0, "item": item}


def _responses(*items: Json, text: str = "") -> bytes:
    said: Json = {"type": "response.output_text.delta", "delta": text}
    completed: Json = {"type": "response.completed", "response": {"model": "m"}}
    return _named(said, *map(_done, items), completed)


def _chat(*calls: Json, text: str = "") -> bytes:
    called: list[Json] = [{"tool_calls": [call]} for call in calls]
    deltas: list[Json] = [{"content": text}, *called, {}]
    reasons = [None] * (len(deltas) - 1) + ["tool_calls"]
    return b"".join(
        frame({"model": "m", "choices": [{"delta": delta, "finish_reason": reason}]})
        for delta, reason in zip(deltas, reasons, strict=True)
    )


def _anthropic(*blocks: tuple[Json, list[Json]]) -> bytes:
    events: list[Json] = [{"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 3}}}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    ended: Json = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}}
    return _named(*events, ended, {"type": "message_stop"})


def _google(*parts: Json) -> bytes:
    candidate = {"content": {"role": "model", "parts": [*parts]}, "finishReason": "STOP"}
    return frame({"candidates": [candidate], "modelVersion": "m"})


def _tool_use(id_: str, name: object) -> Json:
    return {"type": "tool_use", "id": id_, "name": name, "input": {}}


def _json(text: object) -> Json:
    return {"type": "input_json_delta", "partial_json": text}


def _google_call(arguments: str) -> bytes:
    """The arguments are a part of the frame's JSON, whatever they are; none where there are none."""
    args = f', "args": {arguments}' if arguments else ""
    body = json.dumps({"candidates": [{"content": {"parts": ["<call>"]}, "finishReason": "STOP"}]})
    return frame(body.replace('"<call>"', f'{{"functionCall": {{"id": "c1", "name": "query_metric"{args}}}}}'))


CALLING: Mapping[str, Callable[[str], bytes]] = {
    RESPONSES.id: lambda text: _responses({"type": "function_call", "call_id": "c1", "name": "q", "arguments": text}),
    CHAT.id: lambda text: _chat({"index": 0, "id": "c1", "function": {"name": "q", "arguments": text}}),
    ANTHROPIC.id: lambda text: _anthropic((_tool_use("c1", "q"), [_json(text)])),
    GOOGLE.id: _google_call,
}
"""The answer of each wire that calls a tool with these arguments."""

NAMELESS: Mapping[str, bytes] = {
    CHAT.id: _chat({"function": _FIRST}, {"function": _SECOND}),
    GOOGLE.id: _google({"functionCall": {"name": "list_metrics"}}, {"functionCall": {"name": "query_metric"}}),
}
"""Two calls without ids, as compatible servers and older models make them."""

_REASONING: Json = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "Hm."}],
    "encrypted_content": "b3BhcXVl",
}
_EMPTY_REASONING: Json = {"type": "reasoning", "id": "rs_2", "summary": []}
_RESPONSES_CALLS: list[Json] = [
    {"type": "function_call", "call_id": "c1", **_FIRST},
    {"type": "function_call", "call_id": "c2", **_SECOND},
]
_CHAT_CALLS: list[Json] = [
    {"id": "c1", "type": "function", "function": _FIRST},
    {"id": "c2", "type": "function", "function": _SECOND},
]
_THINKING: Json = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
_REDACTED: Json = {"type": "redacted_thinking", "data": "b3BhcXVl"}
_GOOGLE_CALLS: list[Json] = [
    {"functionCall": {"id": "c1", "name": "list_metrics", "args": {}}, "thoughtSignature": "c2ln"},
    {"functionCall": {"id": "c2", "name": "query_metric", "args": {"metric": "größe"}}},
]

THOUGHTFUL: Mapping[str, Thoughtful] = {
    RESPONSES.id: Thoughtful(
        body=_responses(_REASONING, _RESPONSES_CALLS[0], _EMPTY_REASONING, _RESPONSES_CALLS[1], text="Look."),
        field="input",
        sent_back=[
            _REASONING,
            {"role": "assistant", "content": "Look."},
            *_RESPONSES_CALLS,
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
            {"type": "function_call_output", "call_id": "c2", "output": "two"},
        ],
    ),
    CHAT.id: Thoughtful(
        body=_chat(*({"index": index, **call} for index, call in enumerate(_CHAT_CALLS)), text="Look."),
        field="messages",
        sent_back=[
            {"role": "assistant", "content": "Look.", "tool_calls": _CHAT_CALLS},
            {"role": "tool", "tool_call_id": "c1", "content": "one"},
            {"role": "tool", "tool_call_id": "c2", "content": "two"},
        ],
    ),
    ANTHROPIC.id: Thoughtful(
        body=_anthropic(
            (
                {"type": "thinking", "thinking": "", "signature": ""},
                [{"type": "thinking_delta", "thinking": "Hm."}, {"type": "signature_delta", "signature": "c2ln"}],
            ),
            ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Look."}]),
            (_tool_use("c1", "list_metrics"), [_json("")]),
            (_REDACTED, []),
            (_tool_use("c2", "query_metric"), [_json('{"metric":'), _json('"größe"}')]),
        ),
        field="messages",
        sent_back=[
            {
                "role": "assistant",
                "content": [
                    _THINKING,
                    {"type": "text", "text": "Look."},
                    _tool_use("c1", "list_metrics"),
                    _REDACTED,
                    {**_tool_use("c2", "query_metric"), "input": {"metric": "größe"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "one"},
                    {"type": "tool_result", "tool_use_id": "c2", "content": "two"},
                ],
            },
        ],
    ),
    GOOGLE.id: Thoughtful(
        body=_google({"text": "Hm.", "thought": True}, {"text": "Look."}, *_GOOGLE_CALLS),
        field="contents",
        sent_back=[
            {"role": "model", "parts": [{"text": "Look."}, *_GOOGLE_CALLS]},
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "c1", "name": "list_metrics", "response": {"output": "one"}}},
                    {"functionResponse": {"id": "c2", "name": "query_metric", "response": {"output": "two"}}},
                ],
            },
        ],
    ),
}
