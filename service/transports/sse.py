"""Server-sent events of one job: frames what `Feed.follow` yields, and nothing else."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from jobs.errors import JobError, JobNotFound
from service import frames
from service.feed import Bye, Gone, Item, Quiet, Told
from service.problems import problem
from service.view import shown_in_parts


def stream_response(items: AsyncGenerator[Item, None], request_id: str) -> frames.Stream:
    """The response that reads the items aloud; its headers leave before the first of them is read."""
    return frames.Stream(aloud(items, request_id))


def refusal_response(error: JobError, request_id: str) -> frames.Stream:
    """A refusal that EventSource survives: it gives up for good on any status but 200."""
    return frames.Stream(_refusal(error, request_id))


async def aloud(items: AsyncGenerator[Item, None], request_id: str) -> AsyncGenerator[bytes, None]:
    """The stream's bytes; entries that wait together leave as one write."""
    yield frames.RETRY
    async with aclosing(items):
        async for item in items:
            for piece in _pieces(item, request_id):
                yield piece


async def _refusal(error: JobError, request_id: str) -> AsyncGenerator[bytes, None]:
    yield frames.spread_retry() + frames.remark("problem", problem(error, request_id))


def _pieces(item: Item, request_id: str) -> Iterator[bytes]:
    match item:
        case list():
            yield b"".join(entry.frame for entry in item)
        case Told(story=story, reason=reason):
            yield from frames.told(str(story.cursor_before_end), b"{", *shown_in_parts(story, reason))
        case Quiet(cursor=cursor):
            yield frames.remark("ping", frames.ping(str(cursor)))
        case Bye(reason=reason):
            yield frames.farewell(reason)
        case Gone():
            gone = JobNotFound("The job was deleted or has expired.")
            yield frames.remark("problem", problem(gone, request_id))
