"""Server-sent events: frames what `Feed.follow` yields, and nothing else."""

import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import orjson
from sse_starlette import EventSourceResponse

from jobs import clock
from jobs.errors import JobError, JobNotFound
from jobs.model import JsonObject
from service.feed import Bye, Gone, Item, Quiet, Told
from service.problems import problem
from service.view import shown_with_reason

RETRY_MS = 1000
SEND_SECONDS = 30.0
"""How long one write may wait for a reader that takes nothing; then the stream is closed."""

HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


def stream_response(items: AsyncGenerator[Item, None], request_id: str) -> EventSourceResponse:
    """The response that reads the items aloud; its headers leave before the first of them is read."""
    return EventSourceResponse(
        frames(items, request_id),
        headers=HEADERS,
        ping=0,  # our pings carry a cursor and come from the feed
        send_timeout=SEND_SECONDS,
    )


def refusal_response(error: JobError, request_id: str) -> EventSourceResponse:
    """A refusal that EventSource survives: it gives up for good on any status but 200."""
    return EventSourceResponse(_refusal(error, request_id), headers=HEADERS, ping=0)


async def frames(items: AsyncGenerator[Item, None], request_id: str) -> AsyncIterator[bytes]:
    """The stream's bytes; entries that wait together leave as one write."""
    yield b"retry: %d\n\n" % RETRY_MS
    async with aclosing(items):
        async for item in items:
            yield _frame(item, request_id)


async def _refusal(error: JobError, request_id: str) -> AsyncIterator[bytes]:
    yield _spread_retry() + _event("problem", problem(error, request_id))


def _frame(item: Item, request_id: str) -> bytes:
    match item:
        case list():
            return b"".join(entry.frame for entry in item)
        case Told(story=story, reason=reason):
            data = shown_with_reason(story.before_end, reason)
            return b"id: %s\nevent: snapshot\ndata: %s\n\n" % (str(story.cursor_before_end).encode(), data)
        case Quiet(cursor=cursor):
            return _event("ping", {"cursor": str(cursor), "now": clock.now()})
        case Bye(reason=reason):
            return _spread_retry() + _event("bye", {"reason": reason})
        case Gone():
            return _event("problem", problem(JobNotFound("The job was deleted or has expired."), request_id))


def _event(event: str, data: JsonObject) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event.encode(), orjson.dumps(data))


def _spread_retry() -> bytes:
    """Tells each listener another time to come back, so that they don't all come at once."""
    return b"retry: %d\n\n" % random.randint(1000, 10000)  # noqa: S311  # spreads load, guards nothing
