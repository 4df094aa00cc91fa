"""Server-sent events of one job: frames what the feed says of it, and nothing else."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing

from jobs.errors import JobError, JobNotFound
from jobs.model import JobId
from jobs.updates import Cursor
from service import frames
from service.audience import Batch
from service.delivery import Delivery
from service.feed import Bounds, Bye, Gone, Item, Quiet, Told
from service.outlet import Outlet
from service.problems import problem
from service.reader import Reader
from service.view import shown_in_parts


def stream_response(
    delivery: Delivery, job_id: JobId, after: Cursor | None, bounds: Bounds, request_id: str
) -> frames.Stream:
    """The response that tells what follows the cursor; its headers leave before anything of that is read."""

    def begin(outlet: Outlet) -> None:
        outlet.send(frames.RETRY)
        delivery.begin(_Reader(delivery, outlet, job_id, bounds, request_id), after)

    return frames.Stream(_aloud(delivery.feed.stream(job_id, after, bounds), request_id), begin)


def refusal_response(error: JobError, request_id: str) -> frames.Stream:
    """A refusal that EventSource survives: it gives up for good on any status but 200."""
    return frames.Stream(_refusal(error, request_id))


class _Reader(Reader):
    """A listener of one stream."""

    __slots__ = ("_chunked", "_request_id")

    def __init__(self, delivery: Delivery, outlet: Outlet, job_id: JobId, bounds: Bounds, request_id: str) -> None:
        super().__init__(delivery, outlet, job_id, bounds)
        self._chunked = outlet.chunked
        self._request_id = request_id
        outlet.holder = self

    def said(self, batch: Batch) -> bytes:
        return batch.chunk if self._chunked else batch.frames

    def pieces(self, item: Item) -> Iterator[bytes]:
        return _pieces(item, self._request_id)


async def _aloud(items: AsyncGenerator[Item, None], request_id: str) -> AsyncGenerator[bytes, None]:
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
            yield frames.ping(cursor)
        case Bye(reason=reason):
            yield frames.farewell(reason)
        case Gone():
            gone = JobNotFound("The job was deleted or has expired.")
            yield frames.remark("problem", problem(gone, request_id))
