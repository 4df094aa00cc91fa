"""`list`, `show`, `cancel` and `retry`: the jobs that there are."""

from typing import Annotated

import typer

from jobstream.client import AsyncClient, Job, Page
from jobstream.command import asks
from jobstream.exits import Exit
from jobstream.given import kinds_that_begin, read_job_id
from jobstream.lists import jobs_of, show_jobs
from jobstream.pages import show_change, show_job
from jobstream.terminal import Terminal
from jobstream.updates import show_update

JobId = Annotated[str, typer.Argument(help="The id of the job.", parser=read_job_id, metavar="JOB")]
OfKind = Annotated[str | None, typer.Option(help="Of this kind alone.", autocompletion=kinds_that_begin)]
Limit = Annotated[int, typer.Option(help="So many at most.", min=1)]
Every = Annotated[bool, typer.Option("--all", help="As many as there are.")]

LIMIT = 20
OLDEST_PAGE = 1000


@asks
async def list_jobs(
    service: AsyncClient,
    terminal: Terminal,
    *,
    kind: OfKind = None,
    state: Annotated[str | None, typer.Option(help="In this state alone: queued, running, failed, ...")] = None,
    limit: Limit = LIMIT,
    every: Every = False,
) -> Exit:
    """List jobs, the newest first. With --json one a line."""

    async def page(most: int, cursor: str | None) -> Page[Job]:
        return await service.jobs.list(kind=kind, state=state, limit=most, cursor=cursor)

    await show_jobs(terminal, jobs_of(page, most=None if every else limit))
    return Exit.DONE


@asks
async def show(
    service: AsyncClient,
    terminal: Terminal,
    *,
    job: JobId,
    updates: Annotated[bool, typer.Option("--updates", help="The updates that its log holds instead.")] = False,
) -> Exit:
    """Show a job as it is now. With --updates --json each update is one line."""
    if not updates:
        show_job(terminal, await service.get(job))
        return Exit.DONE
    cursor: str | None = None
    while page := (await service.updates(job, after=cursor, limit=OLDEST_PAGE)).items:
        for update in page:
            show_update(terminal, job, update)
        cursor = page[-1].id
    return Exit.DONE


@asks
async def cancel(service: AsyncClient, terminal: Terminal, *, job: JobId) -> Exit:
    """Cancel a job. One that runs may take some seconds to stop; one that has ended stays as it is."""
    show_change(terminal, await service.cancel(job))
    return Exit.DONE


@asks
async def retry(
    service: AsyncClient,
    terminal: Terminal,
    *,
    job: JobId,
    part: Annotated[list[str] | None, typer.Option(help="Run this part alone; may be repeated.")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="Forget the steps that were kept.")] = False,
) -> Exit:
    """Run a failed or cancelled job again; parts can be run again whenever the job has ended."""
    show_change(terminal, await service.retry(job, parts=part or None, from_start=from_start))
    return Exit.DONE
