"""A job as a page that one reads: what it is, how far it is, what it wrote, what came of it."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from jobstream.answers import COLOURS, Answers, shown, title_of
from jobstream.client import DeadLetter, Failure, Job
from jobstream.counters import progress_drawn, progress_text
from jobstream.printable import on_one_line, printable
from jobstream.terminal import Terminal

STATES = COLOURS | {
    "scheduled": "dim",
    "queued": "dim",
    "waiting": "cyan",
    "retrying": "yellow",
    "cancelling": "yellow",
}


def state_text(state: str) -> Text:
    """A state in its colour."""
    return Text(state, STATES.get(state, ""))


def headline(job: Job) -> Text:
    """A job on one line."""
    attempt = f" (attempt {job.attempt} of {job.max_attempts})" if job.attempt > 1 else ""
    return Text.assemble((on_one_line(job.kind), "bold"), " ", job.id, " ", state_text(job.state), attempt)


class Page:
    """All of a job; of a dead letter what it was given, and how it failed, too."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        job = self._job
        yield headline(job)
        yield from _facts(job)
        if progress_text(job.progress):
            yield progress_drawn(job)
        if job.steps:
            yield _steps(job)
        if job.parts:
            yield Answers(job) if console.is_terminal else Group(*_texts(job))
        if isinstance(job, DeadLetter):
            yield from _letter(job)
        if job.error:
            yield Text(failure_text(job.error), "red")
        if _says_more_than_its_parts(job):
            yield Text.assemble(("Result\n", "bold"), pretty(job.result))


def show_job(terminal: Terminal, job: Job) -> None:
    """Print the job: as a page, or as the JSON that the service has for it."""
    if terminal.as_json:
        terminal.tell(job.snapshot)
    else:
        terminal.show(Page(job))


def show_change(terminal: Terminal, job: Job) -> None:
    """Print what the job has become: on one line, or as the JSON that the service has for it."""
    if terminal.as_json:
        terminal.tell(job.snapshot)
    else:
        terminal.show(headline(job))


def failure_text(error: Failure) -> str:
    """Why something failed, on one line."""
    return on_one_line(f"{error.title} ({error.type}): {error.detail}")


def pretty(value: Any) -> str:
    """The value as JSON that one reads."""
    return printable(json.dumps(value, indent=2, ensure_ascii=False))


def moment_text(moment: datetime | None) -> str:
    """A moment as the clock on this machine shows it."""
    return "-" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _says_more_than_its_parts(job: Job) -> bool:
    """Whether there is a result, and not the one that is made of the parts' texts alone."""
    answers = isinstance(job.result, Mapping) and job.result.keys() == job.parts.keys() and bool(job.parts)
    return job.result is not None and not answers


def _facts(job: Job) -> Iterator[RenderableType]:
    times = {
        "created": job.created_at,
        "due": job.run_at,
        "started": job.started_at,
        "finished": job.finished_at,
        "next attempt": job.next_attempt_at,
        "expires": job.expires_at,
    }
    facts = {name: moment_text(moment) for name, moment in times.items() if moment is not None}
    facts |= {"subject": job.subject} if job.subject is not None else {}
    facts |= {"priority": str(job.priority), "run": str(job.run), "cursor": job.cursor}
    facts |= {f"metadata {name}": value for name, value in job.metadata.items()}
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(Text(on_one_line(name), "dim"), Text(on_one_line(value)))
    yield table


def _steps(job: Job) -> Table:
    table = Table("step", "state", "attempt", "seconds", box=box.SIMPLE_HEAD)
    for step in job.steps:
        seconds = f"{(step.finished_at - step.started_at).total_seconds():.1f}" if step.finished_at else ""
        table.add_row(Text(on_one_line(step.name)), state_text(step.state), str(step.attempt), seconds)
    return table


def _texts(job: Job) -> Iterator[RenderableType]:
    for name, part in job.parts.items():
        yield Text(f"\n--- {on_one_line(title_of(name))}: {part.state} ---\n{shown(part)}")


def _letter(letter: DeadLetter) -> Iterator[RenderableType]:
    yield Text.assemble(("Input\n", "bold"), pretty(letter.input))
    table = Table("run", "attempt", "at", "outcome", "error", box=box.SIMPLE_HEAD)
    for failure in letter.failures:
        error = failure_text(failure.error) if failure.error else ""
        table.add_row(str(failure.run), str(failure.attempt), moment_text(failure.at), failure.outcome, Text(error))
    yield table
