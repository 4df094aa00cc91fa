"""A question as Chat Completions takes it."""

from collections.abc import Iterator

from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionContentPartParam,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)
from openai.types.shared_params import ResponseFormatJSONSchema

from jobs.kind import Call, Question, Shape, Tool, Turn
from workers.providers.calls import written
from workers.providers.images import data_url
from workers.providers.openai.schema import strict


def messages(question: Question) -> list[ChatCompletionMessageParam]:
    """The conversation, its system prompt first."""
    told = [message for turn in question.turns for message in _of_turn(turn)]
    return [{"role": "system", "content": question.system}, *told] if question.system else told


def response_format(shape: Shape) -> ResponseFormatJSONSchema:
    """What asks for an answer of the shape."""
    return {
        "type": "json_schema",
        "json_schema": {"name": shape.name, "schema": strict(shape.schema), "strict": True},
    }


def tool_param(tool: Tool) -> ChatCompletionFunctionToolParam:
    """The tool as a function."""
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": {**tool.parameters}},
    }


def _of_turn(turn: Turn) -> Iterator[ChatCompletionMessageParam]:
    """The messages of a turn: each result of a call is one of its own."""
    if turn.role == "assistant":
        yield _said(turn)
        return
    for result in turn.results:
        yield {"role": "tool", "tool_call_id": result.call_id, "content": result.content}
    if turn.images:
        yield {"role": "user", "content": [*_parts(turn)]}
    elif turn.content or not turn.results:
        yield {"role": "user", "content": turn.content}


def _said(turn: Turn) -> ChatCompletionAssistantMessageParam:
    if not turn.calls:
        return {"role": "assistant", "content": turn.content}
    return {
        "role": "assistant",
        "content": turn.content or None,
        "tool_calls": [_call(call) for call in turn.calls],
    }


def _call(call: Call) -> ChatCompletionMessageFunctionToolCallParam:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": written(call.arguments)}}


def _parts(turn: Turn) -> Iterator[ChatCompletionContentPartParam]:
    for image in turn.images:
        yield {"type": "image_url", "image_url": {"url": data_url(image)}}
    if turn.content:
        yield {"type": "text", "text": turn.content}
