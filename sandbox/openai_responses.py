"""OpenAI Responses, `POST /v1/responses`."""

import time
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, Field

from sandbox import openai
from sandbox.answer import Answer, Call
from sandbox.question import Provider, Question, Result, Tool, Turn
from sandbox.schema import ANY_OBJECT, Schema
from sandbox.wire import Frame, Json, event, image_of

provider: Provider = "openai"
paths: tuple[str, ...] = ("/v1/responses",)
status_without_key = 401
admits = openai.admits
refusal = openai.refusal


class _Part(BaseModel):
    type: str
    text: str = ""
    image_url: str | None = None


def _parts(content: str | list[_Part]) -> list[_Part]:
    return content if isinstance(content, list) else [_Part(type="text", text=content)]


def _joined(content: str | list[_Part]) -> str:
    return "\n".join(part.text for part in _parts(content) if part.text)


class _Item(BaseModel):
    """A message, or a tool call, its output or another item, which say nothing themselves."""

    type: str = "message"
    role: Literal["system", "developer", "user", "assistant"] = "assistant"
    content: str | list[_Part] | None = None
    call_id: str = ""
    output: str | list[_Part] = ""

    @property
    def instructs(self) -> bool:
        return self.role in ("system", "developer")

    @property
    def parts(self) -> list[_Part]:
        return _parts(self.content or "")

    @property
    def text(self) -> str:
        return _joined(self.content or "")

    @property
    def turn(self) -> Turn:
        match self.type:
            case "message":
                urls = [part.image_url or "http:" for part in self.parts if part.type == "input_image"]
                role: Literal["user", "assistant"] = "assistant" if self.role == "assistant" else "user"
                return Turn(role, self.text, tuple(map(image_of, urls)))
            case "function_call":
                return Turn("assistant", calls=(self.call_id,))
            case "function_call_output":
                return Turn("user", results=(Result(self.call_id, _joined(self.output)),))
            case _:
                return Turn("assistant")


class _Tool(BaseModel):
    """A function, or a tool that the provider runs by itself."""

    type: str
    name: str = ""
    parameters: Schema | None = None


class _Choice(BaseModel):
    type: str
    name: str = ""


class _Format(BaseModel):
    type: Literal["text", "json_object", "json_schema"]
    schema_: Schema = Field(default=ANY_OBJECT, alias="schema")


class _TextConfig(BaseModel):
    format: _Format | None = None


class _Request(BaseModel):
    model: str = Field(min_length=1, max_length=256)
    input: str | list[_Item] = Field(min_length=1)
    instructions: str | None = None
    stream: bool | None = None
    tools: list[_Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | _Choice | None = None
    text: _TextConfig | None = None
    max_output_tokens: int | None = Field(default=None, ge=1)

    @property
    def items(self) -> list[_Item]:
        return self.input if isinstance(self.input, list) else [_Item(role="user", content=self.input)]

    @property
    def callable_tools(self) -> tuple[Tool, ...]:
        tools = [tool for tool in self.tools or [] if tool.type == "function" and self.tool_choice != "none"]
        if isinstance(self.tool_choice, _Choice) and self.tool_choice.type == "function":
            tools = [tool for tool in tools if tool.name == self.tool_choice.name]
        return tuple(Tool(tool.name, tool.parameters or Schema()) for tool in tools)


def read(body: bytes, _path: str) -> Question:
    """The question in a request."""
    request = _Request.model_validate_json(body)
    told = [item.text for item in request.items if item.instructs]
    format_ = request.text.format if request.text else None
    return Question(
        provider=provider,
        model=request.model,
        turns=tuple(item.turn for item in request.items if not item.instructs),
        streamed=bool(request.stream),
        system="\n".join([request.instructions or "", *told]),
        tools=request.callable_tools,
        schema=format_.schema_ if format_ and format_.type != "text" else None,
        max_tokens=request.max_output_tokens,
    )


def whole(question: Question, answer: Answer) -> Json:
    """A `response`."""
    return _response(question, answer, _final_status(answer), [_item(answer, said) for said in _said(answer)])


def frames(question: Question, answer: Answer) -> Iterator[Frame]:
    """The events from `response.created` to `response.completed` (or `response.incomplete`), numbered."""
    for number, (kind, fields, piece) in enumerate(_events(question, answer)):
        yield event(kind, {"type": kind, "sequence_number": number, **fields}, piece=piece)


def failure(place: int) -> Frame:
    """An `error` event."""
    error = {"code": "server_error", "message": "The server had an error while processing your request."}
    return event("error", {"type": "error", "sequence_number": place, **error, "param": None})


def _events(question: Question, answer: Answer) -> Iterator[tuple[str, Json, str]]:
    begun: Json = {"response": _response(question, answer, "in_progress", [])}
    yield "response.created", begun, ""
    yield "response.in_progress", begun, ""
    for index, said in enumerate(_said(answer)):
        yield "response.output_item.added", {"output_index": index, "item": _item(answer, said, begun=True)}, ""
        yield from _call_events(said, index) if said else _text_events(answer)
        yield "response.output_item.done", {"output_index": index, "item": _item(answer, said)}, ""
    status = _final_status(answer)
    yield f"response.{status}", {"response": whole(question, answer)}, ""


def _said(answer: Answer) -> list[Call | None]:
    """What is said one after the other: None is the text."""
    return [*([None] if answer.speaks else []), *answer.calls]


def _text_events(answer: Answer) -> Iterator[tuple[str, Json, str]]:
    place: Json = {"item_id": f"msg_{answer.id}", "output_index": 0, "content_index": 0}
    yield "response.content_part.added", {**place, "part": _text_part("")}, ""
    for piece in answer.text_pieces:
        yield "response.output_text.delta", {**place, "delta": piece, "logprobs": []}, piece
    yield "response.output_text.done", {**place, "text": answer.text, "logprobs": []}, ""
    yield "response.content_part.done", {**place, "part": _text_part(answer.text)}, ""


def _call_events(call: Call, index: int) -> Iterator[tuple[str, Json, str]]:
    place: Json = {"item_id": f"fc_{call.id}", "output_index": index}
    for piece in call.pieces:
        yield "response.function_call_arguments.delta", {**place, "delta": piece}, piece
    yield "response.function_call_arguments.done", {**place, "arguments": "".join(call.pieces)}, ""


def _response(question: Question, answer: Answer, status: str, output: list[Json]) -> Json:
    return {
        "id": f"resp_{answer.id}",
        "object": "response",
        "created_at": int(time.time()),
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "instructions": None,
        "metadata": {},
        "model": question.model,
        "output": output,
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": _usage(answer) if output else None,
    }


def _item(answer: Answer, call: Call | None, *, begun: bool = False) -> Json:
    status = "in_progress" if begun else _final_status(answer)
    if call:
        arguments = "" if begun else "".join(call.pieces)
        called = {"call_id": f"call_{call.id}", "name": call.name, "arguments": arguments}
        return {"id": f"fc_{call.id}", "type": "function_call", "status": status, **called}
    said = {"role": "assistant", "content": [] if begun else [_text_part(answer.text)]}
    return {"id": f"msg_{answer.id}", "type": "message", "status": status, **said}


def _text_part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _final_status(answer: Answer) -> str:
    return "incomplete" if answer.truncated else "completed"


def _usage(answer: Answer) -> Json:
    return {
        "input_tokens": answer.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": answer.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": answer.input_tokens + answer.output_tokens,
    }
