"""OpenAI Chat Completions, `POST /v1/chat/completions`; also what compatible servers speak."""

import time
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field

from sandbox import openai
from sandbox.answer import Answer, Call
from sandbox.question import Provider, Question, Result, Tool, Turn
from sandbox.schema import ANY_OBJECT, Schema
from sandbox.wire import Frame, Json, dump, image_of

provider: Provider = "openai"
paths: tuple[str, ...] = ("/v1/chat/completions",)
status_without_key = 401
admits = openai.admits
refusal = openai.refusal


class _ImageUrl(BaseModel):
    url: str


class _Part(BaseModel):
    type: str
    text: str = ""
    image_url: _ImageUrl | None = None


class _ToolCall(BaseModel):
    id: str


class _Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Part] | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: str = ""

    @property
    def instructs(self) -> bool:
        return self.role in ("system", "developer")

    @property
    def parts(self) -> list[_Part]:
        content = self.content or ""
        return content if isinstance(content, list) else [_Part(type="text", text=content)]

    @property
    def text(self) -> str:
        return "\n".join(part.text for part in self.parts if part.text)

    @property
    def turn(self) -> Turn:
        if self.role == "tool":
            return Turn("user", results=(Result(self.tool_call_id, self.text),))
        if self.role == "assistant":
            return Turn("assistant", self.text, calls=tuple(call.id for call in self.tool_calls or []))
        return Turn("user", self.text, tuple(image_of(part.image_url.url) for part in self.parts if part.image_url))


class _Function(BaseModel):
    name: str
    parameters: Schema = Schema()


class _Tool(BaseModel):
    type: Literal["function"]
    function: _Function


class _Choice(BaseModel):
    function: _Function


class _JsonSchema(BaseModel):
    schema_: Schema = Field(default=ANY_OBJECT, alias="schema")


class _Format(BaseModel):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _JsonSchema = _JsonSchema()


class _StreamOptions(BaseModel):
    include_usage: bool = False


class _Request(BaseModel):
    model: str = Field(min_length=1, max_length=256)
    messages: list[_Message] = Field(min_length=1)
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    tools: list[_Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | _Choice | None = None
    response_format: _Format | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)

    @property
    def callable_tools(self) -> tuple[Tool, ...]:
        tools = [tool.function for tool in self.tools or [] if self.tool_choice != "none"]
        if isinstance(self.tool_choice, _Choice):
            tools = [tool for tool in tools if tool.name == self.tool_choice.function.name]
        return tuple(Tool(tool.name, tool.parameters) for tool in tools)


def read(body: bytes, _path: str) -> Question:
    """The question in a request."""
    request = _Request.model_validate_json(body)
    told = [message for message in request.messages if message.instructs]
    format_ = request.response_format
    return Question(
        provider=provider,
        model=request.model,
        turns=tuple(message.turn for message in request.messages if not message.instructs),
        streamed=bool(request.stream),
        system="\n".join(message.text for message in told),
        tools=request.callable_tools,
        schema=format_.json_schema.schema_ if format_ and format_.type != "text" else None,
        max_tokens=request.max_completion_tokens or request.max_tokens,
        usage_in_stream=bool(request.stream_options and request.stream_options.include_usage),
    )


def whole(question: Question, answer: Answer) -> Json:
    """A `chat.completion`."""
    message: Json = {"role": "assistant", "content": answer.text or None, "refusal": None, "annotations": []}
    if answer.calls:
        message["tool_calls"] = [_tool_call(call, "".join(call.pieces)) for call in answer.calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(answer)}
    return {**_head(question, answer, "chat.completion"), "choices": [choice], "usage": _usage(answer)}


def frames(question: Question, answer: Answer) -> Iterator[Frame]:
    """The `chat.completion.chunk`s, and `[DONE]`."""
    head = _head(question, answer, "chat.completion.chunk")

    def chunk(delta: Json, finish_reason: str | None = None, *, piece: str = "") -> Frame:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return Frame(dump({**head, "choices": [choice]}), piece=piece)

    yield chunk({"role": "assistant", "content": "" if answer.speaks else None, "refusal": None})
    for piece in answer.text_pieces:
        yield chunk({"content": piece}, piece=piece)
    for index, call in enumerate(answer.calls):
        yield chunk({"tool_calls": [{"index": index, **_tool_call(call, "")}]})
        for piece in call.pieces:
            yield chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}, piece=piece)
    yield chunk({}, _finish_reason(answer))
    if question.usage_in_stream:
        yield Frame(dump({**head, "choices": [], "usage": _usage(answer)}))
    yield Frame("[DONE]")


def failure(_place: int) -> Frame:
    """A chunk that is an error."""
    return Frame(dump(refusal(500, "The server had an error while processing your request.")))


def _head(question: Question, answer: Answer, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": kind,
        "created": int(time.time()),
        "model": question.model,
        "system_fingerprint": None,
    }


def _tool_call(call: Call, arguments: str) -> Json:
    return {"id": f"call_{call.id}", "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _finish_reason(answer: Answer) -> str:
    return "tool_calls" if answer.calls else "length" if answer.truncated else "stop"


def _usage(answer: Answer) -> Json:
    return {
        "prompt_tokens": answer.input_tokens,
        "completion_tokens": answer.output_tokens,
        "total_tokens": answer.input_tokens + answer.output_tokens,
    }
