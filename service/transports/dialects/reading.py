"""What every dialect's stream is made of: items are heard, told as chapters, and framed; the log from its start."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Protocol

from jobs.errors import JobNotFound
from jobs.log import Log, LogPage
from jobs.model import JobId, JsonObject
from jobs.updates import Cursor
from service.feed import Bye, Gone, Item, Quiet, Told
from service.transports.dialects.telling import Chapter, Teller

PAGE_ENTRIES = 500

COMMENT = b": still here\n\n"
"""What keeps a silent connection alive, and is nothing to any client."""

Follow = Callable[[Cursor | None], AsyncGenerator[Item, None]]


class Dialect(Protocol):
    """How one kind of client is told of a job."""

    def frames(self, chapter: Chapter) -> bytes:
        """The chapter as the client reads it; nothing where there is nothing to say."""

    def farewell(self, item: Bye | Gone) -> bytes:
        """What is said when the stream ends before the run does."""


async def aloud(items: AsyncGenerator[Item, None], teller: Teller, dialect: Dialect) -> AsyncGenerator[bytes, None]:
    """The stream's bytes; what is heard together leaves as one write."""
    async with aclosing(items):
        async for item in items:
            match item:
                case Quiet():
                    yield COMMENT
                case Bye() | Gone():
                    yield dialect.farewell(item)
                case _:
                    if told := b"".join(dialect.frames(chapter) for chapter in teller.hear(item)):
                        yield told


async def from_the_start(log: Log, job_id: JobId, follow: Follow) -> AsyncGenerator[Item, None]:
    """Every update from the first one on, however much cheaper a snapshot would be, until the end of the newest run;
    a snapshot only in the place of updates that the log has lost."""
    place: Cursor | None = None
    while True:
        page = await _page(log, job_id, place)
        if page is None:
            yield Gone()
            return
        if page.reset:
            break
        if page.entries:
            yield page.entries
            place = page.cursor
            if page.closed:
                return
            continue
        async with aclosing(follow(place)) as items:
            async for item in items:
                if isinstance(item, Told):
                    break  # the log itself still has what led there
                yield item
                if isinstance(item, list):
                    place = item[-1].cursor
            else:
                return
    async with aclosing(follow(place)) as items:
        async for item in items:
            yield item


async def _page(log: Log, job_id: JobId, place: Cursor | None) -> LogPage | None:
    try:
        return await log.page(job_id, place, most=PAGE_ENTRIES)
    except JobNotFound:
        return None


def before_the_first(job: JsonObject) -> JsonObject:
    """The job's snapshot before its first update, from any of its later ones."""
    nothing = {"state": "queued", "run": 1, "seq": 0, "cursor": "0-0", "attempt": 0, "parts": {}, "steps": []}
    unset = ("started_at", "finished_at", "next_attempt_at", "expires_at", "result", "error")
    return {**job, **nothing, "progress": {}, **dict.fromkeys(unset)}
