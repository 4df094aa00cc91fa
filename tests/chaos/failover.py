"""Two servers and three Sentinels who watch over them; all of them are gone when the block ends."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from jobs.valkey import server_binary
from tests.system import free_port, wait_until

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
    process: subprocess.Popen[bytes]

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
    """The servers, the first of which is the master to begin with, and their Sentinels."""

    servers: list[Server]
    sentinels: list[Server]

    @property
    def url(self) -> str:
        """Where the store is, whichever of the servers that is just now."""
        places = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{places}/{MASTER}/0"

    def is_watched(self) -> bool:
        """Whether the second server follows the first, and all Sentinels know each other and both."""
        if self.servers[1].says("replication").get("master_link_status") != "up":
            return False
        known = [sentinel.says("sentinel").get("master0") for sentinel in self.sentinels]
        return all(
            isinstance(each, dict) and each["slaves"] == 1 and each["sentinels"] == SENTINELS for each in known
        )


@contextmanager
def running_group(folder: Path) -> Iterator[Group]:
    """A group in which everybody knows everybody."""
    with ExitStack() as stack:
        first, second = free_port(), free_port()
        servers = [
            _start(stack, folder / "first", first),
            _start(stack, folder / "second", second, "--replicaof", "127.0.0.1", str(first)),
        ]
        sentinels = [_start_sentinel(stack, folder / f"sentinel-{at}", first) for at in range(SENTINELS)]
        group = Group(servers, sentinels)
        wait_until(group.is_watched, READY_SECONDS)
        yield group


def _start(stack: ExitStack, folder: Path, port: int, *options: str) -> Server:
    folder.mkdir()
    kept = ["--dir", str(folder), "--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"]
    return _run(stack, folder, port, "--port", str(port), "--repl-diskless-sync-delay", "0", *kept, *options)


def _start_sentinel(stack: ExitStack, folder: Path, watched: int) -> Server:
    folder.mkdir()
    port = free_port()
    settings = [
        f"port {port}",
        f"dir {folder}",
        f"sentinel monitor {MASTER} 127.0.0.1 {watched} {QUORUM}",
        f"sentinel down-after-milliseconds {MASTER} {DOWN_MS}",
        f"sentinel failover-timeout {MASTER} 5000",
    ]
    (folder / "sentinel.conf").write_text("\n".join(settings))
    return _run(stack, folder, port, str(folder / "sentinel.conf"), "--sentinel")


def _run(stack: ExitStack, folder: Path, port: int, *arguments: str) -> Server:
    with (folder / "log").open("ab") as output:
        process = subprocess.Popen([str(server_binary()), *arguments], stdout=output, stderr=output)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return Server(port, process)
