"""The command line as its users run it: a process, what it says on either output, and its exit code."""

import json
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import ioctl
from pathlib import Path
from select import select
from typing import IO, Any

from jobs.model import JsonObject
from tests.system import ROOT, SECRET

PATIENCE_SECONDS = 120.0
ROWS, COLUMNS = 40, 120


@dataclass(frozen=True)
class Said:
    """What one command said, and how it ended."""

    code: int
    out: str
    beside: str

    @property
    def document(self) -> Any:
        """The one JSON document that standard output holds."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """What each line of standard output holds."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Shell:
    """Who types commands: where, and with which variables beside those that the service is reached by."""

    url: str
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "TERM": "xterm", "PYTHONPATH": str(ROOT)}
        return kept | {"JOBSTREAM_URL": self.url, "JOBSTREAM_TOKEN": SECRET} | self.variables

    def run(self, *words: str, given: str | None = None, **variables: str) -> Said:
        """The command, once it has ended; a variable that is empty is as if it were not set."""
        ended = subprocess.run(
            command(*words),
            cwd=self.folder,
            env={name: value for name, value in (self.environment | variables).items() if value},
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        return Said(ended.returncode, ended.stdout, ended.stderr)

    @contextmanager
    def running(self, *words: str, output: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
        """The command, just started; killed at the end of the block if it still runs."""
        beside = subprocess.STDOUT if output != subprocess.PIPE else subprocess.PIPE
        with subprocess.Popen(
            command(*words),
            cwd=self.folder,
            env=self.environment,
            stdout=output,
            stderr=beside,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def looking(self, *words: str) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
        """The command in a terminal, and the screen of that."""
        controller, terminal = pty.openpty()
        ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        with os.fdopen(controller, "rb", buffering=0) as screen, self.running(*words, output=terminal) as process:
            os.close(terminal)
            yield process, screen

    def submit(self, message: str = "Hello", *words: str) -> str:
        """The id of a chat that was submitted."""
        said = self.run("submit", "chat", "--input", json.dumps({"message": message}), *words)
        assert said.code == 0, said.beside
        return said.out.strip()

    def snapshot(self, job_id: str) -> JsonObject:
        """The job as it is now."""
        snapshot: JsonObject = self.run("show", job_id, "--json").document
        return snapshot


def command(*words: str) -> list[str]:
    """How the command is run."""
    return [sys.executable, "-m", "jobstream", *words]


def shown_until(screen: IO[bytes], *words: str) -> str:
    """What the screen shows until it has shown each of the words."""
    shown = b""
    while not all(word.encode() in shown for word in words):
        assert select([screen], [], [], PATIENCE_SECONDS)[0], shown
        shown += screen.read(4096)
    return shown.decode(errors="replace")


def line_with(word: str, output: IO[bytes]) -> str:
    """The first line that holds the word."""
    while word not in (line := output.readline().decode()):
        assert line, f"it ended before it said {word}"
    return line
