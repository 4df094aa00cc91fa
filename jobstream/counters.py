"""How far a job is, in words and as a bar."""

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.text import Text

from jobstream.client import Job, Progress
from jobstream.printable import on_one_line

BAR_WIDTH = 40


def progress_text(progress: Progress) -> str:
    """What the job says of its progress, on one line; nothing where it says nothing."""
    percent = None if progress.percent is None else f"{progress.percent:.0f} %"
    of_total = None if progress.total is None else f" of {progress.total:,}"
    counts = [
        f"{count:,}{of_total or '' if name == 'processed' else ''} {name}"
        for name in ("processed", "inserted", "updated", "errors")
        if (count := getattr(progress, name)) is not None
    ]
    message = None if progress.message is None else on_one_line(progress.message)
    return ", ".join(each for each in (percent, message, *counts) if each)


def steps_text(job: Job) -> str:
    """The names of the steps that are done, and of those that go on."""
    return ", ".join(f"{on_one_line(step.name)} {step.state}" for step in job.steps)


def progress_drawn(job: Job) -> RenderableType:
    """The same as a bar with its counters below; the bar is left out where the job tells no percentage."""
    said = Text(progress_text(job.progress), "dim")
    if job.progress.percent is None:
        return said
    return Group(ProgressBar(total=100, completed=job.progress.percent, width=BAR_WIDTH), said)
