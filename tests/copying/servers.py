"""The servers that copies read from and write to, each a real one in a process of its own, on loopback."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import httpx2
import pymongo
import pytest

from tests.conftest import TEST_ALL
from tests.system import free_port

START_SECONDS = 60.0
STOP_SECONDS = 20.0
POSTGRESQL = "/usr/lib/postgresql/*/bin"
BUCKET = "lake"
AWS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "us-east-1"}


class Server:
    """A server's process, which a test may end and start again on the same data."""

    def __init__(self, command: Sequence[str], folder: Path, user: str | None, answers: Callable[[], bool]) -> None:
        self._command = command
        self._folder = folder
        self._user = user
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it, and return when it answers."""
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, user=self._user, cwd=self._folder)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            said = (self._folder / "server.log").read_text()[-2000:]
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send it the signal, and return when it is gone."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_SECONDS)


class PostgresqlServer(Server):
    """A cluster of its own; its connections need no password."""

    def __init__(self, programs: Path, folder: Path, user: str | None) -> None:
        self.port = free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(folder),
            "max_wal_size": "4GB",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs / "postgres"), "-D", str(folder / "data"), *settings]
        super().__init__(command, folder, user, self._is_ready)
        self._ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def stop_at_once(self) -> None:
        """End it in the middle of whatever it does, as when the power goes."""
        self.end(signal.SIGQUIT)

    async def connect(self, database: str = "postgres") -> asyncpg.Connection:
        return await asyncpg.connect(self.url(database))

    def _is_ready(self) -> bool:
        return subprocess.run(self._ready, check=False, capture_output=True).returncode == 0


@contextmanager
def running_postgresql() -> Iterator[PostgresqlServer]:
    """A server that answers; without the programs its tests are left out, unless everything must be tested."""
    programs = next(Path("/").glob(f"{POSTGRESQL.removeprefix('/')}/initdb"), None)
    if programs is None:
        _leave_out("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder, user = Path(name), _unprivileged()
        if user:
            shutil.chown(folder, user)
        initdb = [
            str(programs),
            "-D",
            str(folder / "data"),
            "-U",
            "tester",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
        ]
        subprocess.run(initdb, check=True, capture_output=True, user=user, cwd=folder)
        server = PostgresqlServer(programs.parent, folder, user)
        try:
            server.start()
            yield server
        finally:
            server.end(signal.SIGINT)


@contextmanager
def running_s3(folder: Path) -> Iterator[str]:
    """The endpoint of an S3 (moto's) that has one empty bucket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = Server(command, folder, None, lambda: _answers(url))
    try:
        server.start()
        httpx2.put(f"{url}/{BUCKET}").raise_for_status()
        yield url
    finally:
        server.end()


@contextmanager
def running_mongodb(folder: Path, *, transactions: bool) -> Iterator[str]:
    """The URL of a server that speaks MongoDB's wire protocol (SecantusDB), as a replica set or alone."""
    port = free_port()
    alone = [] if transactions else ["--standalone"]
    command = [sys.executable, "-m", "secantus", "--port", str(port), "--storage-path", str(folder / "data"), *alone]
    url = f"mongodb://127.0.0.1:{port}"
    server = Server(command, folder, None, lambda: _pings(url))
    try:
        server.start()
        yield url
    finally:
        server.end()


def _unprivileged() -> str | None:
    """Who may run PostgreSQL, which root may not."""
    if os.geteuid() != 0:
        return None
    return next(each.pw_name for each in pwd.getpwall() if each.pw_name in {"postgres", "nobody"})


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=2).status_code < 500
    except httpx2.HTTPError:
        return False


def _pings(url: str) -> bool:
    with pymongo.MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=500) as client:
        try:
            return bool(client.admin.command("ping")["ok"])
        except pymongo.errors.PyMongoError:
            return False


def _leave_out(reason: str) -> None:
    if TEST_ALL:
        pytest.fail(reason)
    pytest.skip(reason)
