"""A watch told line by line, for pipes and files: a line whenever a job, a step or a part is another than before."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from jobstream.answers import title_of
from jobstream.client import Job, Update
from jobstream.counters import progress_text
from jobstream.printable import on_one_line, printable


class Journal:
    """The lines; each begins with the id of its job."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[tuple[str, str], str] = {}

    def hear(self, job_id: str, update: Update) -> None:
        """What comes of it is told."""

    def show(self, job: Job) -> None:
        for about, line in _facts(job):
            if self._told.get((job.id, about)) != line:
                self._told[job.id, about] = line
                self._print(job.id, line)

    def lose(self, job_id: str, why: str) -> None:
        if self._told.get((job_id, "service")) != "offline":
            self._told[job_id, "service"] = "offline"
            self._print(job_id, f"offline, trying again: {why}")

    def find(self, job_id: str) -> None:
        self._told.pop((job_id, "service"), None)
        self._print(job_id, "online again")

    def _print(self, job_id: str, line: str) -> None:
        self._console.print(Text(printable(f"{job_id} {line}")), soft_wrap=True)


def _facts(job: Job) -> Iterator[tuple[str, str]]:
    """What there is to tell of the job now, and of what in it."""
    if said := progress_text(job.progress):
        yield "progress", said
    for step in job.steps:
        yield f"step {step.name}", f"{on_one_line(step.name)}: {step.state}"
    for name, part in job.parts.items():
        model = f" ({on_one_line(part.model)})" if part.model else ""
        yield f"part {name}", f"{title_of(name)}{model}: {part.state}"
    attempt = f", attempt {job.attempt}" if job.attempt > 1 else ""
    yield "state", f"{job.kind} {job.state}{attempt}"
