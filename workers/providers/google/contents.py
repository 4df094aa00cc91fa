"""A question as generateContent takes it."""

from base64 import b64decode
from collections.abc import Iterator

from google.genai.types import (
    AutomaticFunctionCallingConfig,
    ContentDict,
    FunctionDeclaration,
    GenerateContentConfig,
    PartDict,
    Tool,
)

from jobs.kind import Question, Turn
from workers.providers.schemas import Schema, narrowed, referring

_TAKES = frozenset(
    {
        *("type", "properties", "required", "additionalProperties", "items", "prefixItems", "anyOf", "oneOf"),
        *("enum", "description", "$ref", "$defs", "minItems", "maxItems", "minimum", "maximum"),
    }
)


def config(question: Question) -> GenerateContentConfig:
    """All of the question but its turns."""
    functions = [
        FunctionDeclaration(
            name=tool.name, description=tool.description, parameters_json_schema=_schema(tool.parameters)
        )
        for tool in question.tools
    ]
    return GenerateContentConfig(
        system_instruction=question.system,
        max_output_tokens=question.max_output_tokens,
        response_mime_type="application/json" if question.shape else None,
        response_json_schema=_schema(question.shape.schema) if question.shape else None,
        tools=[Tool(function_declarations=functions)] if functions else None,
        automatic_function_calling=AutomaticFunctionCallingConfig(disable=True),
        automatic_continuation=False,  # it would ask again where a stream is cut
    )


def content(turn: Turn) -> ContentDict:
    """The turn as a content."""
    return {"role": "user" if turn.role == "user" else "model", "parts": [*_parts(turn)]}


def _parts(turn: Turn) -> Iterator[PartDict]:
    for result in turn.results:
        response: dict[str, object] = {"output": result.content}
        yield {"function_response": {"id": result.call_id, "name": result.name, "response": response}}
    for image in turn.images:
        yield {"inline_data": {"mime_type": image.media_type, "data": image.data}}
    if turn.content or not (turn.results or turn.images or turn.calls):
        yield {"text": turn.content}
    for call in turn.calls:
        part: PartDict = {"function_call": {"id": call.id, "name": call.name, "args": {**call.arguments}}}
        yield {**part, "thought_signature": b64decode(call.token)} if call.token else part


def _schema(schema: Schema) -> Schema:
    return narrowed(schema, takes=_TAKES, rewrite=_listed)


def _listed(schema: Schema) -> Schema:
    """A constant as the one value of an enum; one that is neither text nor number goes without."""
    schema = referring(schema)
    if "const" in schema and isinstance(schema["const"], str | int | float):
        return {**schema, "enum": [schema["const"]]}
    return schema
