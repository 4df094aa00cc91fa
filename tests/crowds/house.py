"""The API as a process of its own, as its machine sees it: memory, open files, time on the processor."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection

from tests.system import READY_SECONDS, System, wait_until
from tests.valkey import ValkeyProcess

KIB = 1024
LISTENS = "0A"
WITH_FILES = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, {files}))
runpy.run_module('service', run_name='__main__')
"""


class House:
    """A process that serves, and what it takes."""

    def __init__(self, system: System) -> None:
        self.url = system.url
        self.process = system.api

    @property
    def files(self) -> int:
        """How many files it has open; its sockets are files."""
        return len(self._files())

    @property
    def clients(self) -> int:
        """How many of them are connections of clients, whatever became of these."""
        held = {_target(file) for file in self._files()}
        return sum(f"socket:[{row[9]}]" in held for row in self._connections())

    @property
    def unacknowledged(self) -> int:
        """How many bytes its machine keeps for clients that have not taken them."""
        return sum(int(row[4].partition(":")[0], 16) for row in self._connections())

    @property
    def memory(self) -> int:
        """What it has in memory, in bytes."""
        return self._status("VmRSS")

    @property
    def most_memory(self) -> int:
        """The most that it ever had in memory, in bytes."""
        return self._status("VmHWM")

    @property
    def processor_seconds(self) -> float:
        """How long it has been at work since it started."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def allow_files(self, most: int) -> None:
        """Change how many it may open from now on, which it doesn't know."""
        _, at_most = resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (most, at_most))

    def _files(self) -> list[Path]:
        return [*Path(f"/proc/{self.process.pid}/fd").iterdir()]

    def _connections(self) -> list[list[str]]:
        """The rows of proc(5)'s table of TCP that are about connections to it."""
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        port = f":{int(self.url.rpartition(':')[2]):04X}"
        return [row for row in rows if row[1].endswith(port) and row[3] != LISTENS]

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) * KIB


@contextmanager
def open_house(
    folder: Path, store: ValkeyProcess, *, files: int | None = None, **settings: object
) -> Iterator[House]:
    """The API on the store, with these settings and no more files than that; its process is gone when the block
    ends."""
    system = System(folder, store, pace=0, settings={name.upper(): str(value) for name, value in settings.items()})
    if files is not None:
        system.api = system.process("api", "-c", WITH_FILES.format(files=files))
    try:
        system.api.start()
        wait_until(lambda: _listens(system.url), READY_SECONDS, system.api.output.read_text)
        yield House(system)
    finally:
        system.api.kill()


def _target(file: Path) -> str:
    try:
        return str(file.readlink())
    except FileNotFoundError:
        return ""  # closed since it was listed


def _listens(url: str) -> bool:
    try:
        create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=1).close()
    except OSError:
        return False
    return True
