"""What a chat took, as a table: for each provider its times, tokens and cost, and whether its text is proven."""

import time

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from jobstream.answers import title_of
from jobstream.client import Job, Part

UNKNOWN = "-"
PROOFS = {True: Text("verified", "green"), False: Text("differs", "bold red"), None: Text(UNKNOWN)}


class Figures:
    """A job and what its reader noticed: how many updates told of it, and when the worker's first was here."""

    def __init__(self, job: Job, *, submitted_at: float) -> None:
        self.job = job
        self._submitted_at = submitted_at
        self._updates = 0
        self._first_seconds: float | None = None

    def take(self, job: Job) -> None:
        """The job after one update more, which is in the reader's hands now."""
        self.job = job
        self._updates += 1
        if self._first_seconds is None and self.job.state != "queued":
            self._first_seconds = time.monotonic() - self._submitted_at

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table("", box=box.SIMPLE_HEAD)
        for heading in ("first\ntoken", "\ntotal", "tokens\nin/out", "\ncost", "\ncharacters"):
            table.add_column(heading, justify="right")
        table.add_column("\nSHA-256")
        for name, part in self.job.parts.items():
            table.add_row(title_of(name), *_times(part), *_usage(part), str(len(part.text)), PROOFS[part.verified])
        yield table
        first = f"the worker's first was here {_milliseconds(self._first_seconds)} after the submit"
        yield Text(f"{self._updates} updates received; {first}.")


def _times(part: Part) -> list[str]:
    return [UNKNOWN if seconds is None else f"{seconds:.2f} s" for seconds in (part.first_token, part.elapsed)]


def _usage(part: Part) -> list[str]:
    if (usage := part.usage) is None:
        return [UNKNOWN, UNKNOWN]
    cost = UNKNOWN if usage.cost is None else f"${usage.cost:.5f}"
    return [f"{usage.input_tokens}/{usage.output_tokens}", cost]


def _milliseconds(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else f"{1000 * seconds:.0f} ms"
