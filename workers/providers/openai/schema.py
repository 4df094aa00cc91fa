"""JSON Schemas as OpenAI's strict mode takes them: every object is closed, and all of its members are required."""

from workers.providers.schemas import Schema, narrowed, referring

_TAKES = frozenset(
    {
        *("type", "properties", "required", "additionalProperties", "items", "anyOf", "enum", "const", "description"),
        *("$ref", "$defs", "minItems", "maxItems", "pattern", "multipleOf"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    }
)


def strict(schema: Schema) -> dict[str, object]:
    """The schema in strict mode's subset; an object without named members is always empty there."""
    return {**narrowed(schema, takes=_TAKES, rewrite=_closed)}


def _closed(schema: Schema) -> Schema:
    schema = referring(schema)
    if "oneOf" in schema:
        schema = {**schema, "anyOf": schema["oneOf"]}
    if schema.get("type") != "object" and "properties" not in schema:
        return schema
    properties = schema.get("properties")
    names = list(properties) if isinstance(properties, dict) else []
    return {**schema, "properties": properties or {}, "required": [*names], "additionalProperties": False}
