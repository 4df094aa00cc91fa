"""A script of the real clients, in a process of its own, that stops where the test wants to see it."""

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "node"
PLACES = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
NODE = shutil.which("node", path=PLACES)
NPM = shutil.which("npm", path=PLACES)
PATIENCE_SECONDS = 60.0


class Script:
    """A running script, and what it says."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def hears(self) -> Any:
        """The next thing that it says."""
        assert self._process.stdout
        assert self._process.stderr
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = await self._process.stdout.readline()
            assert line, (await self._process.stderr.read()).decode()
            return json.loads(line)

    async def go_on(self) -> None:
        """Let it go on from where it waits."""
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        await self._process.stdin.drain()


@asynccontextmanager
async def running(file: str, name: str, **scene: Any) -> AsyncIterator[Script]:
    """One scene of the file; whatever is left of it is gone when the block ends."""
    assert NODE
    told = json.dumps({"name": name, **scene})
    process = await asyncio.create_subprocess_exec(
        NODE, file, told, cwd=FOLDER, stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=2**20
    )
    try:
        yield Script(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
