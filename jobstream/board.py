"""A terminal's board: each job with its bar, its counters and its texts as they grow."""

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.text import Text

from jobstream.answers import Answers
from jobstream.client import Job, Update
from jobstream.counters import progress_drawn, progress_text, steps_text
from jobstream.pages import headline

MOST_ROWS = 24
AROUND = 4
"""The rows of a job beside its texts: headline, bar, counters, steps."""


class Board:
    """What is drawn of the jobs as they are now, no higher than the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._jobs: dict[str, Job] = {}
        self._troubles: dict[str, str] = {}

    def hear(self, job_id: str, update: Update) -> None:
        """What comes of it is shown."""

    def show(self, job: Job) -> None:
        self._jobs[job.id] = job

    def lose(self, job_id: str, why: str) -> None:
        self._troubles[job_id] = why

    def find(self, job_id: str) -> None:
        self._troubles.pop(job_id, None)

    def drawn(self) -> RenderableType:
        """The board as it is now."""
        return Group(*self._lines())

    def _lines(self) -> Iterator[RenderableType]:
        rows = min(MOST_ROWS, (self._console.height - 1) // max(1, len(self._jobs)) - AROUND)
        for job_id in [*self._jobs, *(self._troubles.keys() - self._jobs.keys())]:
            if job := self._jobs.get(job_id):
                yield from _drawn(job, rows)
            if why := self._troubles.get(job_id):
                yield Text(f"offline, trying again: {why}", "bold yellow")


def _drawn(job: Job, rows: int) -> Iterator[RenderableType]:
    yield headline(job)
    if progress_text(job.progress):
        yield progress_drawn(job)
    if job.steps:
        yield Text(steps_text(job), "dim", no_wrap=True, overflow="ellipsis")
    if job.parts and rows > 0:
        yield Answers(job, rows=rows)
