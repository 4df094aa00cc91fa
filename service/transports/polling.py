"""Polling: one snapshot an answer, held back while nothing has changed if the caller would rather wait."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import orjson
from starlette.responses import Response

from jobs.log import LogPage
from jobs.snapshot import Story
from jobs.updates import Cursor
from service.feed import Gone, Item, Quiet
from service.view import shown

LONGEST_WAIT_SECONDS = 30
SETTLE_SECONDS = 0.5
"""How long an answer that was held waits after the first change, so that one answer carries a burst."""

RETRY_AFTER_SECONDS = 2


def etag(cursor: Cursor) -> str:
    """Names the version of the snapshot; weak, because `elapsed` moves on by itself."""
    return f'W/"{cursor}"'


def is_current(if_none_match: str | None, cursor: Cursor) -> bool:
    """Whether one of the caller's tags names this version; compared weakly, as RFC 9110 has it for GET."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return f'"{cursor}"' in tags or "*" in tags


async def until_changed(items: AsyncGenerator[Item, None], seconds: float) -> None:
    """Return 500 ms after the first news, or at once after the last of the run; or when the time is over."""
    try:
        async with aclosing(items), asyncio.timeout(seconds) as patience:
            async for item in items:
                if isinstance(item, Quiet):
                    continue
                if isinstance(item, Gone) or (isinstance(item, list) and item[-1].last):
                    return
                settled = asyncio.get_running_loop().time() + SETTLE_SECONDS
                patience.reschedule(min(settled, patience.when() or settled))
    except TimeoutError:
        return


async def until_ended(items: AsyncGenerator[Item, None], seconds: float) -> None:
    """Return when the run has ended, or when the time is over."""
    try:
        async with aclosing(items), asyncio.timeout(seconds):
            async for _ in items:
                pass
    except TimeoutError:
        return


def snapshot_response(story: Story, *, status: int = 200, extra: dict[str, object] | None = None) -> Response:
    """The job as it is now, with the tag of its version."""
    response = Response(orjson.dumps(shown(story.snapshot) | (extra or {})), status, media_type="application/json")
    _describe(response, story)
    return response


def page_response(page: LogPage) -> Response:
    """A page of the log; what a body holds is JSON already."""
    items = [
        b'{"id":"%s","event":"%s","data":%s}' % (str(entry.cursor).encode(), entry.event.encode(), entry.body)
        for entry in page.entries
    ]
    facts = {"cursor": str(page.cursor), "reset": page.reset, "closed": page.closed}
    body = b'{"items":[' + b",".join(items) + b"]," + orjson.dumps(facts)[1:]
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def unchanged_response(story: Story) -> Response:
    """304: the caller's version is the newest."""
    response = Response(status_code=304)
    _describe(response, story)
    return response


def _describe(response: Response, story: Story) -> None:
    response.headers["ETag"] = etag(story.cursor)
    response.headers["Cache-Control"] = "no-store"
    if not story.state.terminal:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
