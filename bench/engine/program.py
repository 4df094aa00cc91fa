"""Running a program of the bench in a process of its own, and reading what it measured."""

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any, cast

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 180.0


class Failed(Exception):
    """A program ended without an answer; the message is the last that it said."""


class Program:
    """A process that was started, and says one line of JSON in the end."""

    def __init__(self, output: asyncio.StreamReader, errors: IO[bytes]) -> None:
        self._output = output
        self._errors = errors

    async def line(self) -> str:
        """The next line that it prints; Failed where there is none any more."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self._output.readline()
        if not line:
            self._errors.seek(0)
            raise Failed(
                self._errors.read().decode(errors="replace").strip().rpartition("\n")[2] or "no reason given"
            )
        return line.decode().strip()

    async def answer(self) -> Any:
        """What it measured."""
        return json.loads(await self.line())


@asynccontextmanager
async def running(module: str, *arguments: str, python: Path | None = None) -> AsyncIterator[Program]:
    """The module's program, with this interpreter or another; gone when the block ends."""
    with tempfile.TemporaryFile() as errors:
        process = await asyncio.create_subprocess_exec(
            str(python or sys.executable), "-m", module, *arguments,
            cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=errors,
        )  # fmt: skip
        try:
            yield Program(cast("asyncio.StreamReader", process.stdout), errors)
        finally:
            if process.returncode is None and not await _ended(process):
                process.kill()
                await process.wait()


async def _ended(process: Process) -> bool:
    """Whether it ends by itself, now that it has said all."""
    try:
        async with asyncio.timeout(5):
            await process.wait()
    except TimeoutError:
        return False
    return True


async def told(module: str, *arguments: str, python: Path | None = None) -> Any:
    """What the module's program measured."""
    async with running(module, *arguments, python=python) as program:
        return await program.answer()
