"""JSON Schemas cut down to the keywords that a provider takes."""

from collections.abc import Callable

from pydantic import JsonValue

Schema = dict[str, JsonValue]

_NAMED = frozenset({"properties", "$defs", "definitions"})
_TOLD = frozenset(
    {
        *("minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }
)


def narrowed(schema: Schema, *, takes: frozenset[str], rewrite: Callable[[Schema], Schema]) -> Schema:
    """The schema with only what the provider takes, each part of it first rewritten; a limit that it doesn't take is
    told in the description, for the model to read."""

    def narrow(given: JsonValue) -> JsonValue:
        if isinstance(given, list):
            return [narrow(each) for each in given]
        return narrowed(given, takes=takes, rewrite=rewrite) if isinstance(given, dict) else given

    def inner(keyword: str, given: JsonValue) -> JsonValue:
        if keyword in _NAMED and isinstance(given, dict):
            return {name: narrow(each) for name, each in given.items()}
        return given if keyword in {"enum", "const"} else narrow(given)

    rewritten = rewrite(schema)
    kept = {keyword: inner(keyword, given) for keyword, given in rewritten.items() if keyword in takes}
    told = [f"{keyword}: {rewritten[keyword]}" for keyword in rewritten if keyword in _TOLD - takes]
    return kept | _described(rewritten.get("description"), told)


def referring(schema: Schema) -> Schema:
    """The reference alone, where there is one: providers take nothing beside it."""
    if "$ref" not in schema:
        return schema
    return {keyword: given for keyword, given in schema.items() if keyword.startswith("$")}


def _described(description: JsonValue, told: list[str]) -> Schema:
    if not told:
        return {}
    return {"description": f"{description or ''}\n\n{{{', '.join(told)}}}".strip()}
