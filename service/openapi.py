"""The OpenAPI document: FastAPI's, completed by what every route has in common."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from jobs.model import JsonObject
from service.auth import COOKIE
from service.problems import MEDIA_TYPE
from service.shapes import Problem

PUBLIC = ("/healthz", "/readyz", "/openapi.json", "/asyncapi.json")
OPERATORS = ("/metrics",)
"""For the operator's secret alone, which is a bearer's."""

_SECURITY: JsonObject = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The service secret, the operator's secret, a browser token or a job's stream token.",
    },
    "secret": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Background-Function-Auth-Token",
        "description": "The service secret.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "A browser token, for pages of this host.",
    },
    "url": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "A stream token or a browser token, on streams alone: EventSource sends no headers.",
    },
}

_REQUEST_ID: JsonObject = {
    "description": "The request's id: the caller's, where one came; the job's worker logs it too.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}


def document(app: FastAPI) -> JsonObject:
    """What the application offers over HTTP, as OpenAPI 3.1; the routes that are included in its schema."""
    told: JsonObject = get_openapi(
        title=app.title,
        version=app.version,
        routes=app.routes,
        description="Durable jobs with live results. Streams carry the messages of the AsyncAPI document.",
    )
    components = told.setdefault("components", {})
    components["securitySchemes"] = _SECURITY
    components["headers"] = {"RequestId": _REQUEST_ID}
    components["schemas"] = _open(components.get("schemas", {})) | _problem_schemas()
    for path, operation in _operations(told):
        _complete(path, operation)
    return told


def _operations(told: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for path, methods in told["paths"].items():
        for operation in methods.values():
            yield path, operation


def _complete(path: str, operation: JsonObject) -> None:
    """Its name as people read it, who may call it, and how it refuses."""
    operation["summary"] = operation["description"].partition("\n")[0].partition(":")[0].partition(";")[0].rstrip(".")
    operation["security"] = [] if path in PUBLIC else _security(path)
    responses = operation["responses"]
    responses.pop("422", None)  # FastAPI's own shape, which nobody is ever sent
    responses["default"] = {
        "description": "Why it was refused",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for response in responses.values():
        response.setdefault("headers", {})["X-Request-ID"] = {"$ref": "#/components/headers/RequestId"}


def _security(path: str) -> list[JsonObject]:
    if path in OPERATORS:
        return [{"bearer": []}]
    schemes = ["bearer", "secret", "cookie"] + (["url"] if path.endswith("/stream") else [])
    return [{scheme: []} for scheme in schemes]


def _open(schemas: JsonObject) -> JsonObject:
    """The schemas of answers, to which fields may be added: clients ignore what they don't know."""
    left_out = ("HTTPValidationError", "ValidationError")
    return {name: _without_bound(schema) for name, schema in schemas.items() if name not in left_out}


def _without_bound(schema: JsonObject) -> JsonObject:
    return {name: each for name, each in schema.items() if (name, each) != ("additionalProperties", False)}


def _problem_schemas() -> JsonObject:
    schema: dict[str, Any] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts: JsonObject = schema.pop("$defs")
    return parts | {"Problem": schema}
