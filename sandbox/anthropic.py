"""Anthropic Messages, `POST /v1/messages`."""

from collections.abc import Iterable, Iterator
from typing import Literal, Self

from pydantic import BaseModel, Field
from starlette.requests import Request

from sandbox.answer import Answer, Call
from sandbox.question import Provider, Question, Result, Tool, Turn
from sandbox.schema import Schema
from sandbox.wire import Frame, Json, event, image_of

provider: Provider = "anthropic"
paths: tuple[str, ...] = ("/v1/messages",)
status_without_key = 401

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class _Source(BaseModel):
    data: str | None = None


class _Block(BaseModel):
    type: str
    text: str = ""
    source: _Source | None = None
    id: str = ""
    tool_use_id: str = ""
    content: str | list[Self] = ""


class _Message(BaseModel):
    role: Literal["user", "assistant"]
    content: str | list[_Block]

    @property
    def turn(self) -> Turn:
        blocks = _blocks(self.content)
        sources = [block.source for block in blocks if block.type == "image" and block.source]
        return Turn(
            self.role,
            _text(self.content),
            images=tuple(image_of(source.data or "http:") for source in sources),
            calls=tuple(block.id for block in blocks if block.type == "tool_use"),
            results=tuple(
                Result(block.tool_use_id, _text(block.content)) for block in blocks if block.type == "tool_result"
            ),
        )


class _Tool(BaseModel):
    """A tool of the client, or one that the provider runs by itself, which has a type of its own."""

    name: str
    type: str | None = None
    input_schema: Schema = Schema()


class _Choice(BaseModel):
    type: Literal["auto", "any", "tool", "none"]
    name: str = ""


class _Format(BaseModel):
    type: Literal["json_schema"]
    schema_: Schema = Field(alias="schema")


class _OutputConfig(BaseModel):
    format: _Format | None = None


class _Request(BaseModel):
    model: str = Field(min_length=1, max_length=256)
    messages: list[_Message] = Field(min_length=1)
    max_tokens: int = Field(ge=1)
    system: str | list[_Block] = ""
    stream: bool = False
    tools: list[_Tool] = []
    tool_choice: _Choice = _Choice(type="auto")
    output_config: _OutputConfig | None = None
    output_format: _Format | None = None

    @property
    def callable_tools(self) -> tuple[Tool, ...]:
        choice = self.tool_choice
        tools = [tool for tool in self.tools if tool.type in (None, "custom") and choice.type != "none"]
        if choice.type == "tool":
            tools = [tool for tool in tools if tool.name == choice.name]
        return tuple(Tool(tool.name, tool.input_schema) for tool in tools)


def admits(request: Request) -> bool:
    """Whether the request carries a key, as such or as a bearer token."""
    bearer = request.headers.get("authorization", "").partition(" ")[2]
    return bool(request.headers.get("x-api-key", bearer).strip())


def read(body: bytes, _path: str) -> Question:
    """The question in a request."""
    request = _Request.model_validate_json(body)
    format_ = (request.output_config.format if request.output_config else None) or request.output_format
    return Question(
        provider=provider,
        model=request.model,
        turns=tuple(message.turn for message in request.messages),
        streamed=request.stream,
        system=_text(request.system),
        tools=request.callable_tools,
        schema=format_.schema_ if format_ else None,
        max_tokens=request.max_tokens,
    )


def whole(question: Question, answer: Answer) -> Json:
    """A `message`."""
    usage = {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens}
    content = [_text_block(answer.text)] if answer.speaks else []
    content += [_call_block(call, call.arguments) for call in answer.calls]
    return _message(question, answer, content=content, stop_reason=_stop_reason(answer), usage=usage)


def frames(question: Question, answer: Answer) -> Iterator[Frame]:
    """The events from `message_start` to `message_stop`."""
    usage = {"input_tokens": answer.input_tokens, "output_tokens": 1}
    begun = _message(question, answer, content=[], stop_reason=None, usage=usage)
    yield _event("message_start", message=begun)
    yield _event("ping")
    if answer.speaks:
        deltas = [(piece, {"type": "text_delta", "text": piece}) for piece in answer.text_pieces]
        yield from _block_events(0, _text_block(""), deltas)
    for index, call in enumerate(answer.calls, start=int(answer.speaks)):
        deltas = [(piece, {"type": "input_json_delta", "partial_json": piece}) for piece in call.pieces]
        yield from _block_events(index, _call_block(call, {}), deltas)
    ended = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
    yield _event("message_delta", delta=ended, usage={"output_tokens": answer.output_tokens})
    yield _event("message_stop")


def failure(_place: int) -> Frame:
    """An `error` event."""
    return event("error", refusal(529, "Overloaded"))


def refusal(status: int, message: str) -> Json:
    """The body of an error."""
    kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}}


def _block_events(index: int, begun: Json, deltas: Iterable[tuple[str, dict[str, str]]]) -> Iterator[Frame]:
    yield _event("content_block_start", index=index, content_block=begun)
    for piece, delta in deltas:
        yield _event("content_block_delta", piece=piece, index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _event(kind: str, *, piece: str = "", **fields: object) -> Frame:
    return event(kind, {"type": kind, **fields}, piece=piece)


def _message(question: Question, answer: Answer, **rest: object) -> Json:
    head: Json = {"id": f"msg_{answer.id}", "type": "message", "role": "assistant", "model": question.model}
    return {**head, "stop_sequence": None, **rest}


def _text_block(text: str) -> Json:
    return {"type": "text", "text": text}


def _call_block(call: Call, arguments: Json) -> Json:
    return {"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": arguments}


def _stop_reason(answer: Answer) -> str:
    return "tool_use" if answer.calls else "max_tokens" if answer.truncated else "end_turn"


def _blocks(content: str | list[_Block]) -> list[_Block]:
    return content if isinstance(content, list) else [_Block(type="text", text=content)]


def _text(content: str | list[_Block]) -> str:
    return "\n".join(block.text for block in _blocks(content) if block.text)
