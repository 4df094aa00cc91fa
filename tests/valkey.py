"""A Valkey server of a test's own: a real one, on a socket in a folder, gone when its block ends."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from jobs.valkey import server_binary, server_command

START_SECONDS = 20.0
STOP_SECONDS = 10.0


@contextmanager
def running_valkey(folder: Path, *options: str, program: Path | None = None) -> Iterator["ValkeyProcess"]:
    """A server that answers; it is the embedded store's and has its options, but for what is given."""
    server = ValkeyProcess(program or server_binary(), folder, options)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class ValkeyProcess:
    """A server process, which a test may end and start again on the same data."""

    def __init__(self, program: Path, folder: Path, options: tuple[str, ...]) -> None:
        self._log = folder / "valkey.log"
        self._socket = folder / "valkey.sock"
        self._command = server_command(program, folder, self._socket, *options)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, before and after each restart."""
        return f"unix://{self._socket}?db=0"

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Run it, and return when it answers; it ends with the thread that does this."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.01)

    def stop(self) -> None:
        """End it in order: all that it acknowledged is on disk."""
        if self._process:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """End it by SIGKILL, in the middle of whatever it does."""
        if self._process:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def restart(self) -> None:
        """End it in order and run it again on the same data."""
        self.stop()
        self.start()

    def _answers(self) -> bool:
        with redis.Redis.from_url(self.url, socket_timeout=1) as client:
            try:
                return bool(client.ping())
            except redis.AuthenticationError:
                return True  # it wants a password: it is up
            except redis.RedisError:
                return False
