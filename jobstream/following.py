"""Jobs followed to their ends, several at once, and shown meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from jobstream.client import AsyncClient, Job, JobstreamError, Update
from jobstream.exits import Exit, exit_of_error, exit_of_job
from jobstream.printable import on_one_line
from jobstream.showing import Showing

PAGE = 1000


class Ear:
    """Hears one job's watch, and tells the showing."""

    def __init__(self, job_id: str, showing: Showing) -> None:
        self._job_id = job_id
        self._showing = showing

    def heard(self, update: Update) -> None:
        self._showing.hear(self._job_id, update)

    def lost(self, why: Exception) -> None:
        self._showing.lose(self._job_id, on_one_line(why) or type(why).__name__)

    def found(self) -> None:
        self._showing.find(self._job_id)


class Following:
    """Some jobs on their way: how far each was heard, how it ended, and what kept others from being heard."""

    def __init__(self, service: AsyncClient, showing: Showing, *, seconds: float | None) -> None:
        self._service = service
        self._showing = showing
        self._seconds = seconds
        self.last: dict[str, Job] = {}
        self.errors: dict[str, JobstreamError] = {}

    async def to_the_end(self, jobs: Sequence[Job | str]) -> None:
        """Return when each has ended, or cannot be heard."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for job in jobs:
                    tasks.create_task(self._follow(job))
        except ExceptionGroup as ended:
            raise ended.exceptions[0] from None  # what ends one following ends all: nobody reads on

    def exit_of(self, job_id: str) -> Exit:
        """What the following of one job comes to."""
        if error := self.errors.get(job_id):
            return exit_of_error(error)
        return exit_of_job(self.last[job_id])

    async def _follow(self, job: Job | str) -> None:
        job_id = job if isinstance(job, str) else job.id
        try:
            held = job if isinstance(job, Job) else await self._begin(job)
            self.last[job_id] = held
            self._showing.show(held)
            if not held.ended:
                await self._watch(held)
        except JobstreamError as error:
            self.errors[job_id] = error

    async def _begin(self, job_id: str) -> Job:
        """The job as it is now; one that cannot be heard at all is found out at once."""
        job = await self._service.get(job_id)
        self._showing.hear(job_id, beginning(job))
        return job

    async def _watch(self, job: Job) -> None:
        watch = self._service.watch(job, timeout=self._seconds, listener=Ear(job.id, self._showing))
        async with aclosing(watch) as states:
            async for state in states:
                self.last[job.id] = state
                self._showing.show(state)


def beginning(job: Job, *, reason: str = "initial") -> Update:
    """The job as the update that a watch begins with."""
    return Update(job.cursor, "snapshot", {**job.snapshot, "reason": reason})


async def updates_between(service: AsyncClient, job: Job, cursor: str) -> AsyncIterator[Update]:
    """What the job's log says from behind the cursor up to the job as it is held.

    Where the log does not hold the cursor any more, that is the job itself, as a snapshot with the reason `gap`."""
    while cursor != job.cursor:
        page = await service.updates(job.id, after=cursor, limit=PAGE)
        if page.reset or not page.items:
            yield beginning(job, reason="gap")
            return
        for update in page.items:
            yield update
            if update.id == job.cursor:
                return
        cursor = page.items[-1].id
