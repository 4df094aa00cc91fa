"""The programs of a measurement: each pinned to its core, ended with its block, and what it took of the machine."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.engine.program import ROOT

SERVER_CORE = 0
OTHER_CORE = max(os.sched_getaffinity(0))
"""The server has a core to itself, so that what it can do is seen; store, publisher and readers share the other."""

ANSWER_SECONDS = 240.0
STOP_SECONDS = 12.0
LAST_LINES = 8


class Broken(Exception):
    """A program ended, or does not answer; the message is the last that it said."""


class Running:
    """A program that runs, and speaks by lines of JSON if it speaks at all."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._asked = asyncio.Lock()

    @property
    def pid(self) -> int:
        """Its process; those that it began are counted with it."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self._process.returncode is not None

    async def ask(self, command: str) -> Any:
        """What it answers to the command."""
        assert self._process.stdin  # noqa: S101  # both are pipes
        assert self._process.stdout  # noqa: S101
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._asked:
                self._process.stdin.write(command.encode() + b"\n")
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise Broken(f"no answer to {command}") from None
        if not line:
            raise self.broken()
        return json.loads(line)

    def broken(self) -> Broken:
        """Why it is of no more use."""
        lines = self._log.read_text(errors="replace").splitlines()
        return Broken(" / ".join(lines[-LAST_LINES:]) or "it ended without a word")

    @property
    def cpu_seconds(self) -> float:
        """The processor time that it and its children have taken."""
        return sum(_nanoseconds(path) for pid in _family(self.pid) for path in _schedstats(pid)) / 1e9

    @property
    def waited_seconds(self) -> float:
        """How long they were ready to run while somebody else had the core; threads beside the first don't count."""
        return sum(_nanoseconds(Path(f"/proc/{pid}/schedstat"), field=1) for pid in _family(self.pid)) / 1e9

    @property
    def memory_bytes(self) -> int:
        """The memory that it and its children have, what they share counted once."""
        return sum(_pss_bytes(pid) for pid in _family(self.pid))


@asynccontextmanager
async def running(
    name: str,
    command: Sequence[str],
    *,
    core: int,
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Running]:
    """The program on its core; gone when the block ends, or with us, however that is."""
    log = folder / f"{name}.log"
    leash = [sys.executable, "-m", "jobs.leash", str(os.getpid())]
    with log.open("wb") as errors, pinned(core):
        process = await asyncio.create_subprocess_exec(
            *leash, *command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE, stderr=errors
        )
    try:
        yield Running(process, log)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """What is started in the block stays on these cores, and so do we meanwhile."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _family(pid: int) -> Iterator[int]:
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in path.read_text().split():
                yield from _family(int(child))


def _schedstats(pid: int) -> Iterator[Path]:
    return Path(f"/proc/{pid}/task").glob("*/schedstat")


def _nanoseconds(path: Path, field: int = 0) -> int:
    try:
        return int(path.read_text().split()[field])
    except OSError:
        return 0  # a thread that has ended


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
