"""Following many jobs at once: each by its own walk, all read in turn, ended when every job has."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from jobs.model import JobId
from jobs.updates import Cursor
from service.feed import Bye, Gone, Item, Told, place_after

Follow = Callable[[JobId, Cursor | None], AsyncGenerator[Item, None]]


@dataclass(frozen=True)
class Of:
    """What was heard of one of the jobs."""

    job_id: JobId
    item: Item


@dataclass
class _Job:
    """Where the reader is in one job; `ended` once it was given the end of the newest run, or that it is gone."""

    place: Cursor | None
    ended: bool = False


async def follow_many(
    follow: Follow, places: Mapping[JobId, Cursor | None], ended: frozenset[JobId]
) -> AsyncGenerator[Of, None]:
    """What each job has to say, in its order; a job that ended goes on with its next run, until all have ended.

    `ended` names those whose cursor is at their end already. The reader's pace is the pace of all: nothing is
    read ahead of it but one item of each job."""
    jobs = {job_id: _Job(place, ended=job_id in ended) for job_id, place in places.items()}
    heard: asyncio.Queue[Of | Exception] = asyncio.Queue(maxsize=1)
    # No task group: closing a generator inside one comes out as a group of errors.
    walks = [asyncio.create_task(_walk(follow, job_id, job, heard)) for job_id, job in jobs.items()]
    try:
        while not all(job.ended for job in jobs.values()):
            said = await heard.get()
            if isinstance(said, Exception):
                raise said
            _note(jobs[said.job_id], said.item)
            yield said
            if isinstance(said.item, Bye):
                return
    finally:
        for walk in walks:
            walk.cancel()
        await asyncio.gather(*walks, return_exceptions=True)


async def _walk(follow: Follow, job_id: JobId, job: _Job, heard: "asyncio.Queue[Of | Exception]") -> None:
    try:
        while True:
            async with aclosing(follow(job_id, job.place)) as items:
                async for item in items:
                    job.place = place_after(job.place, item)
                    await heard.put(Of(job_id, item))
                    if isinstance(item, Gone):
                        return
    except Exception as error:  # noqa: BLE001  # raised where the reader is
        await heard.put(error)


def _note(job: _Job, item: Item) -> None:
    match item:
        case Told():
            job.ended = False
        case list():
            job.ended = item[-1].last
        case Gone():
            job.ended = True
