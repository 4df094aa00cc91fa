"""`dead-letters`: jobs that failed for good."""

import typer

from jobstream.client import AsyncClient, Job, Page
from jobstream.command import asks, hear_options
from jobstream.commands.jobs import LIMIT, Every, JobId, Limit, OfKind
from jobstream.exits import Exit
from jobstream.lists import jobs_of, show_counts, show_jobs
from jobstream.options import TAKES_IDS
from jobstream.pages import show_change, show_job
from jobstream.terminal import Terminal


@asks
async def list_letters(
    service: AsyncClient, terminal: Terminal, *, kind: OfKind = None, limit: Limit = LIMIT, every: Every = False
) -> Exit:
    """List the jobs that failed for good, the newest first. With --json one a line."""

    async def page(most: int, cursor: str | None) -> Page[Job]:
        return await service.dead_letters.list(kind=kind, limit=most, cursor=cursor)

    await show_jobs(terminal, jobs_of(page, most=None if every else limit))
    return Exit.DONE


@asks
async def groups(service: AsyncClient, terminal: Terminal, *, kind: OfKind = None) -> Exit:
    """Count them by kind and error, most first. With --json one a line."""
    show_counts(terminal, await service.dead_letters.groups(kind=kind))
    return Exit.DONE


@asks
async def show(service: AsyncClient, terminal: Terminal, *, job: JobId) -> Exit:
    """Show one: what it was given, and how each attempt failed."""
    show_job(terminal, await service.dead_letters.inspect(job))
    return Exit.DONE


@asks
async def retry(service: AsyncClient, terminal: Terminal, *, job: JobId) -> Exit:
    """Run one again, from its last kept step."""
    show_change(terminal, await service.dead_letters.retry(job))
    return Exit.DONE


@asks
async def delete(service: AsyncClient, terminal: Terminal, *, job: JobId) -> Exit:
    """Delete one, and with it all that is known of the job."""
    await service.dead_letters.delete(job)
    if terminal.as_json:
        terminal.tell({"id": job, "deleted": True})
    else:
        terminal.show(f"{job} is deleted.")
    return Exit.DONE


commands = typer.Typer(no_args_is_help=True, help="Jobs that failed for good: list, look, run again, delete.")
commands.callback()(hear_options)
commands.command("list")(list_letters)
commands.command("groups")(groups)
commands.command("show", context_settings=TAKES_IDS)(show)
commands.command("retry", context_settings=TAKES_IDS)(retry)
commands.command("delete", context_settings=TAKES_IDS)(delete)
