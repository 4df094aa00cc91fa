"""Reading a JSON body that may be hostile: bounded in size and shape, and only what the store can keep."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, NoReturn

from pydantic import BaseModel
from starlette.requests import Request

from jobs.model import JsonObject
from service.errors import InvalidJson, PayloadTooLarge, UnsupportedMediaType

DEEPEST = 32
MOST_KEYS = 1000
LONGEST_NUMBER = 400
"""Digits of one integer; a longer one costs quadratic time to read and no number here needs it."""

AT_ONCE_BYTES = 64 * 1024
"""A larger body is read in a thread: millions of small values take seconds, in which others are served."""


def described(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """What the OpenAPI document says of a body that is read here, and not by FastAPI."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": required, "content": content}}


async def read_json(request: Request, *, limit: int) -> JsonObject:
    """The body, which must be one JSON object of at most `limit` bytes."""
    return await read_aside(await read_body(request, limit=limit), parse_object)


async def read_body(request: Request, *, limit: int) -> bytes:
    """The bytes of a body that says it is JSON; PayloadTooLarge for more than `limit`."""
    _check_media_type(request)
    return await bounded(request, limit)


async def read_untyped_json(request: Request, *, limit: int) -> JsonObject:
    """The body as `read_json` has it, whatever it says that it is; an empty object where there is none.

    For paths that no form of another site can reach, since pages of other origins are turned away before."""
    body = await bounded(request, limit)
    return await read_aside(body, parse_object) if body else {}


async def read_optional_json(request: Request, *, limit: int) -> JsonObject:
    """The body as `read_json` has it; an empty object where there is none."""
    body = await bounded(request, limit)
    if not body:
        return {}
    _check_media_type(request)
    return await read_aside(body, parse_object)


async def read_aside(body: bytes, read: Callable[[bytes], JsonObject]) -> JsonObject:
    """What `read` makes of the body; nobody but its sender waits for a large one."""
    return read(body) if len(body) <= AT_ONCE_BYTES else await asyncio.to_thread(read, body)


def _check_media_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaType("Send the body as application/json.")


async def bounded(request: Request, limit: int) -> bytes:
    """The bytes of a body; PayloadTooLarge for more than `limit`."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body may have {limit} bytes at most.")


def parse_object(body: bytes) -> JsonObject:
    """The object that the bytes spell; InvalidJson for all else."""
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise InvalidJson("The body is not JSON in UTF-8.") from error
    if not isinstance(value, dict):
        raise InvalidJson("The body must be one JSON object.")
    _check(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJson(f"{name} is not JSON.")


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise InvalidJson("A number has too many digits.")
    number = int(digits)
    if abs(number) > 2**63 - 1:
        raise InvalidJson("An integer is beyond 64 bits.")
    return number


def _number(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise InvalidJson("A number is too large.")
    return number


def _check(root: JsonObject) -> None:
    """Walks without recursion, so that depth costs nothing but a counter."""
    waiting: list[tuple[object, int]] = [(root, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            check_text(value)
            continue
        if not isinstance(value, dict | list):
            continue
        if depth > DEEPEST:
            raise InvalidJson(f"The body is nested deeper than {DEEPEST} levels.")
        if isinstance(value, dict):
            if len(value) > MOST_KEYS:
                raise InvalidJson(f"An object has more than {MOST_KEYS} keys.")
            for key in value:
                check_text(key)
            waiting.extend((each, depth + 1) for each in value.values())
        else:
            waiting.extend((each, depth + 1) for each in value)


def check_text(text: str) -> None:
    """InvalidJson for text that the store cannot keep."""
    if "\x00" in text:
        raise InvalidJson("A string holds a NUL character.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidJson("A string holds a lone surrogate.")
