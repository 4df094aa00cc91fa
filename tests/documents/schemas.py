"""Holding a value against the schemas of a document."""

from collections.abc import Iterator

from jsonschema import Draft202012Validator

from jobs.model import JsonObject


def wrong(value: object, schema: JsonObject, document: JsonObject) -> list[str]:
    """Every way in which the value is not as the schema has it; a field that the schema does not name is one."""
    whole = {**schema, "components": _closed(document["components"])}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(whole).iter_errors(value)]


def references(part: object) -> Iterator[str]:
    """Every reference in a document."""
    if isinstance(part, list):
        for each in part:
            yield from references(each)
    elif isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for each in part.values():
            yield from references(each)


def _closed(part: object) -> object:
    """The same schemas, with which no other field goes."""
    if isinstance(part, list):
        return [_closed(each) for each in part]
    if not isinstance(part, dict):
        return part
    closed = {name: _closed(each) for name, each in part.items()}
    return closed | ({"additionalProperties": False} if "properties" in part else {})
