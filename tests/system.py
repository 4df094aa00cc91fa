"""The whole product as its users run it: store, sandbox, API and worker, each a process of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from tests.valkey import ValkeyProcess, running_valkey

SECRET = "a-service-secret-for-tests"
READY_SECONDS = 120.0
STOP_SECONDS = 15.0
ROOT = Path(__file__).parent.parent


class Process:
    """One process of the product; its output is kept in a file."""

    def __init__(
        self, name: str, folder: Path, command: list[str], environment: dict[str, str], *, where: Path = ROOT
    ) -> None:
        self.output = folder / f"{name}.log"
        self._where = where
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self) -> None:
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command, cwd=self._where, env=self._environment, stdout=output, stderr=output
            )

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait; the exit code, negative for a signal that killed it."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(how)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def kill(self) -> None:
        """End it without a chance to say anything."""
        self.end(signal.SIGKILL)


class System:
    """Every process of one product, and where to reach it."""

    def __init__(self, folder: Path, store: ValkeyProcess, *, pace: float, settings: dict[str, str]) -> None:
        self.folder = folder
        self.store = store
        self.url = f"http://127.0.0.1:{free_port()}"
        self.sandbox_url = f"http://127.0.0.1:{free_port()}"
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "REDIS_URL": store.url,
            "HOST": "127.0.0.1",
            "PORT": self.url.rpartition(":")[2],
            "BACKGROUND_FUNCTION_AUTH_TOKEN": SECRET,
            "JOBSTREAM_DATA": str(folder / "data"),
            "JOBSTREAM_DEMO": "1",
            "JOBSTREAM_SANDBOX_URL": self.sandbox_url,
            "JOBSTREAM_SANDBOX_PACE": str(pace),
            **settings,
        }
        self.sandbox = self.process("sandbox", "-m", "sandbox")
        self.api = self.process("api", "-m", "service")
        self.worker = self.new_worker("worker")

    def process(self, name: str, *arguments: str) -> Process:
        """One more process with the product's settings, not yet started."""
        return Process(name, self.folder, [sys.executable, *arguments], self._environment)

    def new_worker(self, name: str) -> Process:
        """One more worker, not yet started."""
        return self.process(name, "-m", "arq", "workers.main.WorkerSettings")

    def wait_until_ready(self) -> None:
        """Return when the API answers, knows a worker, and the sandbox answers."""
        wait_until(lambda: _answers(f"{self.url}/readyz?worker=1"), READY_SECONDS, self._outputs)
        wait_until(lambda: _answers(f"{self.sandbox_url}/sandbox/requests"), READY_SECONDS, self._outputs)

    def _outputs(self) -> str:
        return "\n".join(process.output.read_text()[-2000:] for process in (self.api, self.worker, self.sandbox))


@contextmanager
def running_system(folder: Path, *, pace: float = 0.05, settings: dict[str, str] | None = None) -> Iterator[System]:
    """A product that is ready for jobs; all of it is gone when the block ends."""
    with ExitStack() as stack:
        (folder / "store").mkdir(mode=0o700)
        store = stack.enter_context(running_valkey(folder / "store"))
        system = System(folder, store, pace=pace, settings=settings or {})
        for process in (system.sandbox, system.api, system.worker):
            stack.callback(process.kill)
            process.start()
        system.wait_until_ready()
        yield system


def wait_until(condition: Callable[[], bool], seconds: float, explain: Callable[[], str] = str) -> None:
    """Return when the condition holds; fail, with the explanation, if it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False
