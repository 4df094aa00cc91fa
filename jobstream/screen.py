"""Where a job is shown while it runs: cards that grow in a terminal, a few plain lines anywhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from jobstream.answers import Answers, shown, title_of
from jobstream.client import Job

REDRAWS_PER_SECOND = 12
MOST_ROWS = 24


class Screen(Protocol):
    """Where a job is shown."""

    def show(self, job: Job) -> None:
        """Show the job as it is now."""

    def show_whole(self, job: Job) -> None:
        """Show the answers from beginning to end."""


@contextmanager
def open_screen(console: Console) -> Iterator[Screen]:
    """The screen that the console can be; what it draws over goes with the block."""
    if not (console.file.isatty() and console.is_interactive):
        yield Lines(console)
        return
    cards = Cards(console)
    with Live(console=console, get_renderable=cards.drawn, refresh_per_second=REDRAWS_PER_SECOND, transient=True):
        yield cards


class Cards:
    """A terminal's screen: the answers side by side, redrawn a few times a second."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._job: Job | None = None

    def drawn(self) -> RenderableType:
        """The cards as they are now, no higher than the terminal."""
        if self._job is None:
            return Text("")
        return Answers(self._job, rows=min(MOST_ROWS, self._console.height - 1))

    def show(self, job: Job) -> None:
        self._job = job

    def show_whole(self, job: Job) -> None:
        self._console.print(Answers(job))


class Lines:
    """A screen of lines: one whenever a part's state changes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._states: dict[str, str] = {}

    def show(self, job: Job) -> None:
        for name, part in job.parts.items():
            if self._states.get(name) != part.state:
                self._states[name] = part.state
                model = f" ({part.model})" if part.model else ""
                self._print(f"{title_of(name)}{model}: {part.state}")

    def show_whole(self, job: Job) -> None:
        for name, part in job.parts.items():
            self._print(f"\n--- {title_of(name)} ---\n{shown(part)}")

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)
