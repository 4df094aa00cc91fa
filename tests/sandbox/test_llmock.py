"""The sandbox and llmock, which others wrote, agree about the wire."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import httpx2
import pytest
from llmock.testing import LLMockServer

from tests.sandbox.server import Sandbox

_KEYS = {"authorization": "Bearer any", "x-api-key": "any", "x-goog-api-key": "any"}
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_FUNCTION = {"name": "weather", "parameters": _SCHEMA}
_USER = [{"role": "user", "content": "Will it rain?"}]
_CONTENTS = [{"role": "user", "parts": [{"text": "Will it rain?"}]}]


@dataclass(frozen=True)
class Api:
    """One API as both servers have it: what asks for a text, what is added for a tool call or a stream."""

    llmock_root: str
    path: str
    text: dict[str, object]
    tools: list[object]
    stream: dict[str, object]
    stream_path: str = ""


APIS = {
    "responses": Api(
        llmock_root="",
        path="/v1/responses",
        text={"model": "gpt-4o", "input": "Will it rain?"},
        tools=[{"type": "function", **_FUNCTION}],
        stream={"stream": True},
    ),
    "chat": Api(
        llmock_root="",
        path="/v1/chat/completions",
        text={"model": "gpt-4o", "messages": _USER},
        tools=[{"type": "function", "function": _FUNCTION}],
        stream={"stream": True, "stream_options": {"include_usage": True}},
    ),
    "anthropic": Api(
        llmock_root="/anthropic",
        path="/v1/messages",
        text={"model": "claude", "messages": _USER, "max_tokens": 1000},
        tools=[{"name": "weather", "input_schema": _SCHEMA}],
        stream={"stream": True},
    ),
    "google": Api(
        llmock_root="/gemini",
        path="/v1beta/models/gemini:generateContent",
        text={"contents": _CONTENTS},
        tools=[{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": _SCHEMA}]}],
        stream={},
        stream_path="/v1beta/models/gemini:streamGenerateContent?alt=sse",
    ),
}


@pytest.fixture(scope="module")
def llmock() -> Iterator[LLMockServer]:
    with LLMockServer() as server:
        yield server


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    api: Api = APIS[request.param]
    return api


@pytest.fixture(params=["a text", "a call"])
def body(request: pytest.FixtureRequest, api: Api) -> dict[str, object]:
    return api.text if request.param == "a text" else {**api.text, "tools": api.tools}


def test_streams_have_the_same_events_in_the_same_order(
    sandbox: Sandbox, llmock: LLMockServer, api: Api, body: dict[str, object]
) -> None:
    path, asked = api.stream_path or api.path, {**body, **api.stream}

    ours = _events(httpx2.post(sandbox.url + path, headers=_KEYS, json=asked))
    theirs = _events(httpx2.post(llmock.url + api.llmock_root + path, headers=_KEYS, json=asked))

    assert len(ours) > 1 or "functionCall" in str(ours)
    assert ours == theirs


def test_answers_in_one_body_have_every_field_that_llmock_gives(
    sandbox: Sandbox, llmock: LLMockServer, api: Api, body: dict[str, object]
) -> None:
    ours = httpx2.post(sandbox.url + api.path, headers=_KEYS, json=body).json()
    theirs = httpx2.post(llmock.url + api.llmock_root + api.path, headers=_KEYS, json=body).json()

    echoed = "tools"
    assert set(_fields(theirs)) - set(_fields({echoed: theirs.get(echoed)})) <= set(_fields(ours))


def _events(response: httpx2.Response) -> list[str]:
    """What tells the events of a stream apart, the same in a row once; pings may come anywhere."""
    frames = response.text.replace("\r", "").strip().split("\n\n")
    return [kind for kind, _ in groupby(map(_kind, frames)) if "ping" not in kind]


def _kind(frame: str) -> str:
    name, _, data = frame.rpartition("data: ")
    match json.loads(data) if data != "[DONE]" else data:
        case {"choices": []}:
            return "usage"
        case {"choices": [{"delta": delta, "finish_reason": reason}]}:
            return f"{sorted(name for name, value in delta.items() if value is not None)} {reason}"
        case {"candidates": [{"content": {"parts": [part]}} as candidate]}:
            return f"{list(part)} {candidate.get('finishReason')}"
        case _:
            return name or data


def _fields(value: object, place: str = "") -> Iterator[str]:
    """The places of all that is not null."""
    match value:
        case dict():
            for name, member in value.items():
                yield from _fields(member, f"{place}.{name}")
        case list():
            for member in value:
                yield from _fields(member, f"{place}[]")
        case None:
            return
        case _:
            yield place
