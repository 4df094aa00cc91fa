"""A store of two servers, and three Sentinels who decide which of them takes the writes."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from jobs.valkey import server_binary
from tests.system import Process, free_port, wait_until

MASTER = "jobs"
SENTINELS = 3
QUORUM = 2
DOWN_MS = 1000
"""How long a server may be silent before the Sentinels call it down."""

READY_SECONDS = 30.0


@dataclass
class Server:
    """One server, or one Sentinel, on a port of loopback."""

    port: int
    process: Process

    def says(self, section: str) -> dict[str, object]:
        """What it tells about itself; nothing while it is down."""
        with redis.Redis(port=self.port, socket_timeout=1) as client:
            try:
                facts: dict[str, object] = client.info(section)
            except redis.RedisError:
                return {}
        return facts


@dataclass
class Group:
    """The first server takes the writes, and the second one follows it, until the Sentinels say otherwise."""

    first: Server
    second: Server
    sentinels: list[Server]

    @property
    def url(self) -> str:
        """Where the store is, whichever of the servers that is just now."""
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{places}/{MASTER}/0"

    def kill(self) -> None:
        """End the first server in the middle of whatever it does."""
        self.first.process.kill()

    def start(self) -> None:
        """Run it again; it finds out by itself that another one takes the writes now."""
        self.first.process.start()

    def is_complete(self) -> bool:
        """Whether the second server follows the first, and all Sentinels know each other and both."""
        known = [sentinel.says("sentinel").get("master0") for sentinel in self.sentinels]
        all_known = all(isinstance(each, dict) and (each["slaves"], each["sentinels"]) == (1, 3) for each in known)
        return all_known and follows(self.second, self.first)


def follows(server: Server, other: Server) -> bool:
    """Whether the server has all that the other one has acknowledged."""
    own, its = server.says("replication"), other.says("replication")
    return own.get("master_link_status") == "up" and own["slave_repl_offset"] == its.get("master_repl_offset")


@contextmanager
def running_group(folder: Path) -> Iterator[Group]:
    """A complete group; every process of it is gone when the block ends."""
    with ExitStack() as stack:
        first = _run_server(stack, folder / "first")
        second = _run_server(stack, folder / "second", "--replicaof", "127.0.0.1", str(first.port))
        wait_until(lambda: follows(second, first), READY_SECONDS)  # or Sentinels learn of it ten seconds late
        sentinels = [_run_sentinel(stack, folder / f"sentinel-{at}", first.port) for at in range(SENTINELS)]
        group = Group(first, second, sentinels)
        wait_until(group.is_complete, READY_SECONDS)
        yield group


def _run_server(stack: ExitStack, folder: Path, *options: str) -> Server:
    folder.mkdir()
    port = free_port()
    settings = ["--port", str(port), "--dir", str(folder), "--appendonly", "yes", "--save", ""]
    return _run(stack, folder, port, *settings, "--repl-diskless-sync-delay", "0", *options)


def _run_sentinel(stack: ExitStack, folder: Path, watched: int) -> Server:
    folder.mkdir()
    port = free_port()
    settings = folder / "sentinel.conf"
    settings.write_text(
        f"port {port}\n"
        f"dir {folder}\n"
        f"sentinel monitor {MASTER} 127.0.0.1 {watched} {QUORUM}\n"
        f"sentinel down-after-milliseconds {MASTER} {DOWN_MS}\n"
        f"sentinel failover-timeout {MASTER} 5000\n"
    )
    return _run(stack, folder, port, str(settings), "--sentinel")


def _run(stack: ExitStack, folder: Path, port: int, *arguments: str) -> Server:
    process = Process("server", folder, [str(server_binary()), *arguments], {"PATH": os.environ["PATH"]})
    stack.callback(process.kill)
    process.start()
    return Server(port, process)
