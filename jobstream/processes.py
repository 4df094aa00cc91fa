"""Processes that end with the block that started them, and with this process however it ends."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from jobstream.errors import ProcessEnded

WATCH_SECONDS = 0.1
STOP_SECONDS = 15.0  # the API gives its requests 8 s, the store its clients 4 s
KILLED_SECONDS = 5.0
LAST_LINES = 12

Result = TypeVar("Result")


@contextmanager
def open_processes(
    folder: Path, environment: Mapping[str, str], *, stop_seconds: float = STOP_SECONDS
) -> Iterator["Processes"]:
    """Processes that run in the folder and write their logs there; all are gone when the block ends."""
    processes = Processes(folder, environment)
    try:
        yield processes
    finally:
        processes.end(stop_seconds)


class Processes:
    """Python programs that are needed together, by name."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Run Python with the arguments, on the leash: it gets SIGTERM even if we are killed."""
        leash = [sys.executable, "-m", "jobs.leash", str(os.getpid())]
        with self._log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603  # our own programs, no shell in between
                [*leash, sys.executable, *arguments],
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C in a terminal is for us, who end it in order
            )

    async def beside(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What the work comes to; it is given up with ProcessEnded if one of the processes ends before."""
        working = asyncio.create_task(work)
        try:
            while not working.done():
                self._check()
                await asyncio.wait([working], timeout=WATCH_SECONDS)
            return working.result()
        finally:
            working.cancel()
            await asyncio.wait([working])

    def last_words(self, *names: str) -> str:
        """The end of what these processes said, or of what all did."""
        return "\n".join(f"The last lines of the {name}:\n{self._tail(name)}" for name in names or self._running)

    def end(self, stop_seconds: float) -> None:
        """End them all, in order if they do so in time; it does not await, so that no signal cuts it short."""
        deadline = time.monotonic() + stop_seconds
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in self._running.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(KILLED_SECONDS)

    def _check(self) -> None:
        for name, process in self._running.items():
            if (code := process.poll()) is not None:
                error = ProcessEnded(f"The {name} ended with exit code {code}.")
                error.add_note(self.last_words(name))
                raise error

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _tail(self, name: str) -> str:
        lines = self._log(name).read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-LAST_LINES:])
