"""Server-sent event frames, and the few events that a server says for itself."""

import random

import orjson

from jobs import clock
from jobs.model import JsonObject
from jobs.updates import one_line

RETRY = b"retry: 1000\n\n"

SEND_SECONDS = 30.0
"""How long one write may wait for a reader that takes nothing; then its connection is closed."""

SSE_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


def update(cursor: str, event: str, data: bytes) -> bytes:
    """An update: one line of JSON under its cursor."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (cursor.encode(), event.encode(), data)


def remark(event: str, data: JsonObject) -> bytes:
    """What is no update and has no cursor: ping, bye, problem."""
    return b"event: %s\ndata: %s\n\n" % (event.encode(), one_line(orjson.dumps(data)))


def ping(cursor: str) -> JsonObject:
    """The data of a ping: the newest cursor, so that a lost last update is noticed."""
    return {"cursor": cursor, "now": clock.now()}


def farewell(reason: str) -> bytes:
    """`bye`, and a time to come back that is another for each listener, so that they don't all come at once."""
    return spread_retry() + remark("bye", {"reason": reason})


def spread_retry() -> bytes:
    """Between 1 and 10 s, by chance."""
    return b"retry: %d\n\n" % random.randint(1000, 10000)  # noqa: S311  # spreads load, guards nothing
