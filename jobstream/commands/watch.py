"""`watch`: jobs followed to their ends, whatever happens to the connections."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

from jobstream.client import AsyncClient, Job
from jobstream.command import asks
from jobstream.exits import Exit
from jobstream.following import Following, updates_between
from jobstream.given import read_job_id
from jobstream.pages import Page
from jobstream.showing import open_showing
from jobstream.terminal import Terminal
from jobstream.updates import show_update

Seconds = Annotated[
    float | None, typer.Option("--timeout", help="Stop watching after so many seconds.", min=0.001, metavar="SECONDS")
]


@asks
async def watch(
    service: AsyncClient,
    terminal: Terminal,
    *,
    jobs: Annotated[list[str], typer.Argument(help="The ids of the jobs.", parser=read_job_id, metavar="JOB...")],
    after: Annotated[
        str | None, typer.Option(help="Begin behind this place in the log of the one job.", metavar="CURSOR")
    ] = None,
    seconds: Seconds = None,
) -> Exit:
    """Watch jobs until they end: bars, counters and texts as they grow.

    A connection that is cut is made again, and nothing is missed. Ctrl-C leaves the jobs running. With several jobs,
    the exit code is that of the first one that did not complete. With --json each update is one line, in the form of
    the WebSocket's messages; a line's "id" is what --after takes."""
    if after is None:
        return await follow(service, terminal, jobs, seconds=seconds)
    if len(jobs) > 1:
        raise typer.BadParameter("a cursor is a place in the log of one job: name one", param_hint="--after")
    job = await service.get(jobs[0])
    async for update in updates_between(service, job, after):
        show_update(terminal, job.id, update)
    return await follow(service, terminal, [job], seconds=seconds)


async def follow(
    service: AsyncClient, terminal: Terminal, jobs: Sequence[Job | str], *, seconds: float | None
) -> Exit:
    """Show the jobs until they end; the exit code of the first that did not complete.

    Who is stopped meanwhile is told how to come back."""
    by_id = {job if isinstance(job, str) else job.id: job for job in jobs}
    with open_showing(terminal) as showing:
        following = Following(service, showing, seconds=seconds)
        try:
            await following.to_the_end([*by_id.values()])
        except asyncio.CancelledError:
            way_back = _way_back(following, by_id, as_json=terminal.as_json)
            terminal.note(f"No longer watching; what goes on goes on. Come back with: {way_back}")
            raise
    for job_id in by_id:
        _conclude(terminal, following, job_id)
    return next((code for job_id in by_id if (code := following.exit_of(job_id))), Exit.DONE)


def _conclude(terminal: Terminal, following: Following, job_id: str) -> None:
    """Show what came of one job; for programs every update was told already."""
    if error := following.errors.get(job_id):
        error.add_note(f"This was about the job {job_id}.")
        terminal.complain(error)
    elif not terminal.as_json:
        terminal.show(Page(following.last[job_id]))


def _way_back(following: Following, job_ids: Iterable[str], *, as_json: bool) -> str:
    """The command that goes on where this one was left."""
    words = ["jobstream", "watch", *job_ids]
    if as_json and len(following.last) == len(words) - 2 == 1:
        words += ["--json", "--after", *(job.cursor for job in following.last.values())]
    return " ".join(words)
