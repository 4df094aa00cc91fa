"""The tables that are copied into: of a PostgreSQL that is started for the run, and of an SQLite file."""

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import asyncpg

from bench.copy.records import MADE

PROGRAMS = "usr/lib/postgresql/*/bin/initdb"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Place:
    """One database; `empty` leaves it with an empty table, whatever was there."""

    scheme: str
    url: str

    async def empty(self) -> None:
        if self.scheme == "sqlite":
            for file in Path(self.url.removeprefix("sqlite://")).parent.glob("things.db*"):
                file.unlink()
            with closing(sqlite3.connect(self.url.removeprefix("sqlite://"))) as session:
                session.execute(MADE["sqlite"])
            return
        session = await asyncpg.connect(self.url)
        await session.execute("DROP TABLE IF EXISTS things, stage")
        await session.execute(MADE["postgresql"])
        await session.execute("CHECKPOINT")
        await session.close()


@contextmanager
def open_places(folder: Path) -> Iterator[list[Place]]:
    """Those that there can be here."""
    sqlite = Place("sqlite", f"sqlite://{folder}/things.db")
    if (initdb := next(Path("/").glob(PROGRAMS), None)) is None:
        print("PostgreSQL was left out: it is not installed (Debian: apt-get install postgresql)")
        yield [sqlite]
        return
    with _running(initdb, folder / "postgresql") as url:
        yield [Place("postgresql", url), sqlite]


@contextmanager
def _running(initdb: Path, folder: Path) -> Iterator[str]:
    user = "postgres" if os.geteuid() == 0 else None  # root may not run it
    folder.mkdir()
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", _free_port()
    subprocess.run(  # noqa: S603
        [str(initdb), "-D", str(data), "-U", "bench", "-A", "trust", "-E", "UTF8", "--no-locale"],
        check=True, capture_output=True, user=user, cwd=folder,
    )  # fmt: skip
    options = ["-c", f"port={port}", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"]
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603
            [str(initdb.parent / "postgres"), "-D", str(data), *options, "-c", "max_wal_size=4GB"],
            stdout=log, stderr=log, user=user, cwd=folder,
        )  # fmt: skip
    try:
        ready = [str(initdb.parent / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        _wait(ready)
        yield f"postgresql://bench@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(START_SECONDS)


def _wait(ready: list[str]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run(ready, check=False).returncode:  # noqa: S603
        if time.monotonic() > deadline:
            raise TimeoutError("PostgreSQL did not start")
        time.sleep(0.05)


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
