"""Child processes: when they end, and what is known of why."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobstream.errors import ProcessEnded
from jobstream.processes import Processes, open_processes
from tests.system import wait_until

SLEEPER = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
QUITTER = "import sys; print('line of no use'); sys.exit('no more bread')"
PATIENCE_SECONDS = 20.0


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with open_processes(tmp_path, os.environ) as processes:
        yield processes


@pytest.mark.parametrize("program", [SLEEPER, STUBBORN], ids=["obeys", "ignores SIGTERM"])
def test_no_process_outlives_its_block(tmp_path: Path, program: str) -> None:
    log = tmp_path / "child.log"
    with open_processes(tmp_path, os.environ, stop_seconds=0.5) as processes:
        processes.start("child", "-c", program)
        wait_until(lambda: log.read_text().endswith("\n"), PATIENCE_SECONDS)

    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)


async def test_work_comes_to_what_it_comes_to_beside_its_processes(processes: Processes) -> None:
    processes.start("child", "-c", SLEEPER)

    assert await processes.beside(asyncio.sleep(0, "done")) == "done"


async def test_work_fails_as_it_fails_beside_its_processes(processes: Processes) -> None:
    async def work() -> None:
        raise LookupError("its own")

    processes.start("child", "-c", SLEEPER)

    with pytest.raises(LookupError, match="its own"):
        await processes.beside(work())


async def test_work_is_given_up_with_the_last_words_of_the_process_that_it_needs(processes: Processes) -> None:
    """Even if the work itself would wait for ever."""
    given_up = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            given_up.set()

    processes.start("baker", "-c", QUITTER)
    processes.start("child", "-c", SLEEPER)

    with pytest.raises(ProcessEnded, match="The baker ended with exit code 1") as ended:
        await processes.beside(work())

    assert "no more bread" in ended.value.__notes__[0]
    assert given_up.is_set()
