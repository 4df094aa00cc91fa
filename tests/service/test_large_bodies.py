"""Large bodies: whoever sends one waits for it alone."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.types import Message

from service.body import read_json, read_optional_json, read_untyped_json
from service.form import read_sent
from tests.journeys.sending import BOUNDARY, field, form

VALUES = b"1," * 100_000 + b"1"
JSON = (b"application/json", b'{"input": [' + VALUES + b"]}")
FORM = (
    f"multipart/form-data; boundary={BOUNDARY}".encode(),
    form(field("kind", b"chat"), field("metadata", b"[" + VALUES + b"]")),
)
MOST = 2**20

READERS: list[tuple[Callable[..., Awaitable[object]], tuple[bytes, bytes]]] = [
    (read_json, JSON),
    (read_untyped_json, JSON),
    (read_optional_json, JSON),
    (read_sent, JSON),
    (read_sent, FORM),
]


@pytest.mark.parametrize(("read", "sent"), READERS)
async def test_others_are_served_while_a_large_body_is_read(
    read: Callable[..., Awaitable[object]], sent: tuple[bytes, bytes]
) -> None:
    """All of it is there already, so that nothing but the reading takes time."""
    reading = asyncio.ensure_future(read(request(*sent), limit=MOST))
    turns = 0
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)

    assert await reading
    assert turns > 2  # one until it begins, one until its end is known


def request(media_type: bytes, body: bytes) -> Request:
    """A request whose body came in whole."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", media_type), (b"x-requested-with", b"test")]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
