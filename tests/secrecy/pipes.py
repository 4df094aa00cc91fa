"""Processes whose standard error nobody reads, or only when a test does."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.system import ROOT, STOP_SECONDS, Process

F_SETPIPE_SZ = 1031
"""Of Linux; the smallest pipe holds one page."""

PAGE_BYTES = 4096


class Piped:
    """A process of the product, and the end of the pipe that it writes to."""

    def __init__(self, process: subprocess.Popen[bytes], reading: int) -> None:
        self._process = process
        self._reading = reading

    def read(self) -> bytes:
        """What is there to read just now; empty where that is nothing."""
        try:
            return os.read(self._reading, 1 << 20)
        except BlockingIOError:
            return b""

    def end(self) -> int:
        """Stop it as a supervisor does; its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(STOP_SECONDS)


@contextmanager
def piped(process: Process) -> Iterator[Piped]:
    """The process, started with the smallest of pipes for its standard error; it is gone when the block ends."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, F_SETPIPE_SZ, PAGE_BYTES)
    os.set_blocking(reading, False)
    try:
        running = Piped(_started(process, writing), reading)
    finally:
        os.close(writing)
    try:
        yield running
    finally:
        running.kill()
        os.close(reading)


@contextmanager
def on_a_full_disk(process: Process) -> Iterator[Piped]:
    """The process, started with a file on a full disk for its standard error."""
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        running = Piped(_started(process, full), full)
        yield running
    finally:
        running.kill()
        os.close(full)


def _started(process: Process, stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        process._command, cwd=ROOT, env=process._environment, stdout=subprocess.DEVNULL, stderr=stderr
    )
