"""A question as the Messages API takes it."""

from collections.abc import Iterator

import orjson
from anthropic import transform_schema
from anthropic.types import ContentBlockParam, MessageParam, OutputConfigParam, ToolParam

from jobs.kind import Shape, Tool, Turn
from workers.providers.images import base64_of


def message(turn: Turn) -> MessageParam:
    """The turn as a message."""
    plain = not (turn.images or turn.calls or turn.results)
    content = turn.content if plain else [*_blocks(turn)]
    return {"role": "user", "content": content} if turn.role == "user" else {"role": "assistant", "content": content}


def output_config(shape: Shape) -> OutputConfigParam:
    """What asks for an answer of the shape; the SDK moves limits that the API doesn't enforce into descriptions."""
    return {"format": {"type": "json_schema", "schema": transform_schema({**shape.schema})}}


def tool_param(tool: Tool) -> ToolParam:
    """The tool."""
    return {"name": tool.name, "description": tool.description, "input_schema": {**tool.parameters}}


def _blocks(turn: Turn) -> Iterator[ContentBlockParam]:
    """Results come first and thoughts before all that they led to, or the API refuses them."""
    for result in turn.results:
        yield {"type": "tool_result", "tool_use_id": result.call_id, "content": result.content}
    for image in turn.images:
        source = base64_of(image)
        yield {"type": "image", "source": {"type": "base64", "media_type": image.media_type, "data": source}}
    for call in turn.calls[:1]:
        yield from _thoughts(call.token)
    if turn.content:
        yield {"type": "text", "text": turn.content}
    for place, call in enumerate(turn.calls):
        if place:
            yield from _thoughts(call.token)
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": {**call.arguments}}


def _thoughts(token: str | None) -> list[ContentBlockParam]:
    thoughts: list[ContentBlockParam] = orjson.loads(token) if token else []
    return thoughts
