"""Jobs and counts in columns for people, one JSON a line for programs."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from jobstream.client import ErrorCount, Job, Page
from jobstream.counters import progress_text
from jobstream.pages import failure_text, moment_text, state_text
from jobstream.printable import on_one_line
from jobstream.terminal import Terminal

MOST_OF_A_PAGE = 100
NewestPage = Callable[[int, str | None], Coroutine[Any, Any, Page[Job]]]
"""A page of so many jobs that begins at a cursor."""


async def jobs_of(page: NewestPage, *, most: int | None) -> AsyncIterator[list[Job]]:
    """The pages of a list, one after the other, until there are so many jobs."""
    cursor, left = None, most
    while left is None or left > 0:
        found = await page(MOST_OF_A_PAGE if left is None else min(left, MOST_OF_A_PAGE), cursor)
        yield list(found.items)
        cursor, left = found.next, None if left is None else left - len(found.items)
        if cursor is None:
            return


async def show_jobs(terminal: Terminal, pages: AsyncIterator[list[Job]]) -> None:
    """Print the jobs as they come: a line of JSON each, a line of words each, or in a terminal a table."""
    async for jobs in pages:
        if terminal.as_json:
            for job in jobs:
                terminal.tell(job.snapshot)
        elif terminal.is_live:
            terminal.show(_table(jobs))
        else:
            for job in jobs:
                terminal.row(_words(job))


def show_counts(terminal: Terminal, counts: Iterable[ErrorCount]) -> None:
    """Print how many there are of each."""
    for count in counts:
        if terminal.as_json:
            terminal.tell(count.model_dump())
        else:
            terminal.row((str(count.count), on_one_line(count.kind), on_one_line(count.error_type)))


def _words(job: Job) -> tuple[str, ...]:
    said = failure_text(job.error) if job.error else progress_text(job.progress)
    return (
        job.id,
        on_one_line(job.kind),
        job.state,
        job.created_at.isoformat(),
        on_one_line(job.subject or "-"),
        said,
    )


def _table(jobs: Iterable[Job]) -> Table:
    table = Table("id", "kind", "state", "created", "subject", "", box=box.SIMPLE_HEAD)
    table.columns[0].no_wrap = True
    for job in jobs:
        job_id, kind, _, _, subject, said = _words(job)
        state, created = state_text(job.state), moment_text(job.created_at)
        table.add_row(job_id, Text(kind), state, created, Text(subject), Text(said, "dim", overflow="ellipsis"))
    return table
