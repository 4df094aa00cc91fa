"""The demo as its user runs it: what it shows, how it ends, and that nothing of it stays."""

import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory
from typing import IO

import pytest

from sandbox.answer import text_for
from tests.system import ROOT, wait_until

PROMPT = "What is a tide table good for?"
COMMAND = [sys.executable, "-m", "jobstream", "demo", "--prompt", PROMPT]
PATIENCE_SECONDS = 120.0
STOP_SECONDS = 30.0
QUICK, SLOW = "0.05", "3"


class Demo:
    """One run of the demo, everything of which is known by its folder for temporary files."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.environment = {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "TERM": "xterm", **settings}

    def run(self) -> subprocess.CompletedProcess[str]:
        """It, once it has ended."""
        return subprocess.run(
            COMMAND,
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    @contextmanager
    def running(self, output: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
        """It, just started; killed at the end of the block if it still runs."""
        with subprocess.Popen(
            COMMAND, cwd=ROOT, env=self.environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def processes(self) -> list[str]:
        """What still runs of it: it has our variables, or lives in our folder."""
        return [_command(process) for process in Path("/proc").glob("[0-9]*") if self._owns(process)]

    @property
    def leftovers(self) -> list[str]:
        """What is left of it: processes and files."""
        return self.processes() + [str(path) for path in self.folder.rglob("*")]

    def _owns(self, process: Path) -> bool:
        try:
            place = str((process / "cwd").readlink())
            variables = (process / "environ").read_bytes()  # the store's server writes over its own
        except OSError:  # it ended, or is not ours
            return False
        return place.startswith(str(self.folder)) or f"TMPDIR={self.folder}\0".encode() in variables


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where the demo puts what it needs; its path is short, as that of a socket must be."""
    with TemporaryDirectory() as folder:
        yield Path(folder).resolve()


def test_it_shows_three_whole_answers_and_leaves_nothing(folder: Path) -> None:
    """The answers are those that the sandbox gives to this prompt."""
    demo = Demo(folder, JOBSTREAM_SANDBOX_PACE=QUICK)

    ended = demo.run()

    assert (ended.returncode, ended.stderr) == (0, "")
    assert [text_for(name, PROMPT) in ended.stdout for name in ("openai", "anthropic", "google")] == [True] * 3
    assert ended.stdout.count("verified") == 3
    assert demo.leftovers == []


@pytest.mark.parametrize("settings", [{"REDIS_URL": "redis://127.0.0.1:1"}, {"PYTHONIOENCODING": "ascii"}], ids=str)
def test_it_works_where_little_does(folder: Path, settings: dict[str, str]) -> None:
    """With a store configured that isn't there, since its own is another; where output knows but ASCII."""
    ended = Demo(folder, JOBSTREAM_SANDBOX_PACE=QUICK, **settings).run()

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.count("verified") == 3


def test_a_chat_without_an_answer_is_a_failure_with_its_reason(folder: Path) -> None:
    models = {f"JOBSTREAM_MODEL_{name}": "sandbox-400" for name in ("OPENAI", "ANTHROPIC", "GOOGLE")}
    demo = Demo(folder, JOBSTREAM_SANDBOX_PACE=QUICK, **models)

    ended = demo.run()

    assert ended.returncode == 1
    assert "The job has no result." in ended.stderr
    assert "The last lines of the worker:" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert demo.leftovers == []


def test_a_process_that_cannot_start_is_named_with_its_last_words(folder: Path) -> None:
    demo = Demo(folder, JOBSTREAM_SLOTS="0")

    ended = demo.run()

    assert ended.returncode == 1
    assert "The worker ended with exit code 78." in ended.stderr
    assert "the worker cannot start: jobstream_slots" in ended.stderr
    assert demo.leftovers == []


@pytest.mark.parametrize("moment", ["Starting", "OpenAI (gpt"], ids=["while it starts", "while answers grow"])
def test_nothing_stays_when_it_is_terminated(folder: Path, moment: str) -> None:
    demo = Demo(folder, JOBSTREAM_SANDBOX_PACE=SLOW)
    with demo.running() as process:
        _read_to(moment, process)

        process.terminate()

        assert process.wait(STOP_SECONDS) == 128 + signal.SIGTERM
    assert demo.leftovers == []


def test_nothing_stays_when_nobody_reads_on(folder: Path) -> None:
    """As with `| head -1`."""
    demo = Demo(folder, JOBSTREAM_SANDBOX_PACE=QUICK)
    with demo.running() as process:
        _read_to("Starting", process).close()

        assert process.wait(PATIENCE_SECONDS) == 1
    assert demo.leftovers == []


def test_no_process_stays_when_it_is_killed(folder: Path) -> None:
    """Nobody can tidy up after that, but what it started ends by itself."""
    demo = Demo(folder, JOBSTREAM_SANDBOX_PACE=SLOW)
    with demo.running() as process:
        _read_to("OpenAI (gpt", process)
        assert len(demo.processes()) >= 6  # store, its server, API, worker, sandbox, and the demo

        process.kill()

        wait_until(lambda: not demo.processes(), STOP_SECONDS, lambda: str(demo.processes()))


def test_in_a_terminal_the_answers_grow_side_by_side_until_ctrl_c(folder: Path) -> None:
    """Ctrl-C leaves the terminal as it was: the cursor shows again."""
    demo = Demo(folder, JOBSTREAM_SANDBOX_PACE=SLOW)
    controller, terminal = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    with os.fdopen(controller, "rb", buffering=0) as screen, demo.running(terminal) as process:
        os.close(terminal)
        shown = _shown_until(screen, b"Google")
        line = shown[shown.rindex(b"\n") :]

        os.killpg(process.pid, signal.SIGINT)

        rest = _shown_until(screen, b"\x1b[?25h")
        assert process.wait(STOP_SECONDS) == 128 + signal.SIGINT
    assert b"OpenAI" in line
    assert b"Anthropic" in line
    assert rest.endswith(b"\x1b[?25h")
    assert demo.leftovers == []


def _read_to(words: str, process: subprocess.Popen[bytes]) -> IO[bytes]:
    """The demo's output, read up to these words."""
    assert process.stdout
    said = b""
    while words not in (said := process.stdout.readline()).decode():
        assert said, f"it ended before it said {words}"
    return process.stdout


def _shown_until(screen: IO[bytes], words: bytes) -> bytes:
    shown = b""
    while words not in shown:
        assert select([screen], [], [], PATIENCE_SECONDS)[0], shown
        shown += screen.read(1)
    return shown


def _command(process: Path) -> str:
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return process.name
