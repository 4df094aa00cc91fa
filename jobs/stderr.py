"""Standard error, written to by a thread of its own: whoever logs never waits for who reads."""

import logging
import os
import queue
import select
import threading
from collections.abc import Callable

DESCRIPTOR = 2
MOST_LINES = 2000
"""How many lines may wait to be written; what is logged while that many do is dropped, and counted."""

LINE_BYTES = 32 * 1024
"""Of one line: with the number of lines, the bound of what waits."""

FLUSH_SECONDS = 1.0
"""How long a process that ends waits for a pipe that nobody reads, or a disk that is slow."""

POLL_SECONDS = 1.0

Note = Callable[[int], str]
"""The line that tells how many were dropped."""


class Stderr(logging.Handler):
    """Puts each record's line in a queue without ever waiting; a thread takes it from there to standard error.

    `note` is written once the queue is empty again, if lines were dropped since the last."""

    def __init__(self, note: Note) -> None:
        super().__init__()
        self._note = note
        self._lines: queue.SimpleQueue[bytes | threading.Event] = queue.SimpleQueue()  # its put cannot be interrupted
        self._refused = 0
        self._failed = 0
        self._told = 0
        threading.Thread(target=self._run, name="stderr", daemon=True).start()

    @property
    def dropped(self) -> int:
        """How many lines there was no room for, or that could not be written."""
        return self._refused + self._failed

    def emit(self, record: logging.LogRecord) -> None:
        """Take the record's line if there is room for it."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001  # whatever an argument's own `__str__` raises must not end who logs it
            line = self._unspeakable(record)
        self.say(line)

    def say(self, line: str) -> None:
        """Take a line as it stands."""
        if self._lines.qsize() >= MOST_LINES:
            self._refused += 1
        else:
            self._lines.put(line.encode(errors="backslashreplace")[:LINE_BYTES] + b"\n")

    def flush(self) -> None:
        """Return once everything is written, or cannot be in time; `logging` does this as the process ends."""
        written = threading.Event()
        self._lines.put(written)
        written.wait(FLUSH_SECONDS)

    def _unspeakable(self, record: logging.LogRecord) -> str:
        return f'{{"event": "a record could not be put into words", "logger": "{record.name}", "level": "error"}}'

    def _run(self) -> None:
        while True:
            item = self._lines.get()
            if isinstance(item, bytes):
                self._failed += not _written(item)
            if self._lines.empty():
                self._tell()
            if isinstance(item, threading.Event):
                item.set()

    def _tell(self) -> None:
        dropped = self.dropped
        if dropped > self._told and _written(self._note(dropped - self._told).encode() + b"\n"):
            self._told = dropped


def _written(line: bytes) -> bool:
    """Whether all of it could be written, however long that took."""
    left = memoryview(line)
    while left:
        try:
            left = left[os.write(DESCRIPTOR, left) :]
        except BlockingIOError:  # somebody else made it so: it belongs to every process that shares it
            select.select([], [DESCRIPTOR], [], POLL_SECONDS)
        except OSError:  # the disk is full, or the reader gone
            return False
    return True
