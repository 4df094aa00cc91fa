"""A question as the Responses API takes it."""

from collections.abc import Iterator

import orjson
from openai.types.responses import (
    FunctionToolParam,
    ResponseInputItemParam,
    ResponseInputMessageContentListParam,
    ResponseTextConfigParam,
)

from jobs.kind import Call, Shape, Tool, Turn
from workers.providers.calls import written
from workers.providers.images import data_url
from workers.providers.openai.schema import strict


def items(turn: Turn) -> Iterator[ResponseInputItemParam]:
    """The items of a turn. A call comes after the reasoning that led to it, or the API refuses it."""
    for result in turn.results:
        yield {"type": "function_call_output", "call_id": result.call_id, "output": result.content}
    for call in turn.calls[:1]:
        yield from _thoughts(call)
    if turn.images:
        yield {"role": turn.role, "content": _parts(turn)}
    elif turn.content or not (turn.calls or turn.results):
        yield {"role": turn.role, "content": turn.content}
    for place, call in enumerate(turn.calls):
        if place:
            yield from _thoughts(call)
        yield {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": written(call.arguments)}


def text_format(shape: Shape) -> ResponseTextConfigParam:
    """What asks for an answer of the shape."""
    return {"format": {"type": "json_schema", "name": shape.name, "schema": strict(shape.schema), "strict": True}}


def tool_param(tool: Tool) -> FunctionToolParam:
    """The tool as a function; not a strict one, of which no argument may be left out."""
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": {**tool.parameters},
        "strict": False,
    }


def _thoughts(call: Call) -> list[ResponseInputItemParam]:
    thoughts: list[ResponseInputItemParam] = orjson.loads(call.token) if call.token else []
    return thoughts


def _parts(turn: Turn) -> ResponseInputMessageContentListParam:
    parts: ResponseInputMessageContentListParam = [
        {"type": "input_image", "detail": "auto", "image_url": data_url(image)} for image in turn.images
    ]
    return [*parts, {"type": "input_text", "text": turn.content}] if turn.content else parts
