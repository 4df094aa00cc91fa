"""The contract of a showing: where jobs are seen while they run, and which one the terminal can be."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.live import Live

from jobstream.board import Board
from jobstream.client import Job, Update
from jobstream.journal import Journal
from jobstream.terminal import Terminal
from jobstream.updates import show_update

REDRAWS_PER_SECOND = 12


class Showing(Protocol):
    """Where several jobs are seen while they run."""

    def hear(self, job_id: str, update: Update) -> None:
        """An update of a job came."""

    def show(self, job: Job) -> None:
        """The job is like this now."""

    def lose(self, job_id: str, why: str) -> None:
        """Nothing is heard of the job for a while."""

    def find(self, job_id: str) -> None:
        """It is heard of again."""


class Feed:
    """For programs: each update as one line of JSON, in the form of the WebSocket's messages."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def hear(self, job_id: str, update: Update) -> None:
        show_update(self._terminal, job_id, update)

    def show(self, job: Job) -> None:
        """What was heard says it all."""

    def lose(self, job_id: str, why: str) -> None:
        self._terminal.note(f"{job_id}: offline, trying again: {why}")

    def find(self, job_id: str) -> None:
        self._terminal.note(f"{job_id}: online again")


@contextmanager
def open_showing(terminal: Terminal) -> Iterator[Showing]:
    """The showing that the terminal can be; what it draws over goes with the block."""
    if terminal.as_json:
        yield Feed(terminal)
    elif terminal.is_live:
        board = Board(terminal.output)
        with Live(
            console=terminal.output,
            get_renderable=board.drawn,
            refresh_per_second=REDRAWS_PER_SECOND,
            transient=True,
        ):
            yield board
    else:
        yield Journal(terminal.output)
