"""Watches of the JavaScript client in a Node process, over the real network, and what each was told."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from jobs.model import JsonObject
from tests.jobs.patience import until
from tests.system import SECRET

WEB = Path(__file__).parents[2] / "web"
PLACES = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
LONGEST_LINE = 2**22

HASTE: JsonObject = {
    "request": 5,
    "first": 3,
    "resumed": 4,
    "silence": 4,
    "hold": 2,
    "unheld": 0.5,
    "firstBackOff": 0.02,
    "longestBackOff": 0.5,
    "climb": 2,
    "spread": 0.5,
}
"""The client's durations where the service pings every second, so that minutes pass in seconds."""


def node() -> str:
    """The program."""
    found = shutil.which("node", path=PLACES)
    assert found, "Node is not installed: `make install` brings it with the packages."
    return found


@dataclass(frozen=True)
class Reader:
    """A client that watches jobs: by which roads, and with which token."""

    jobs: Sequence[str]
    roads: Sequence[str] = ("stream", "socket")
    token: str = "secret"
    stays: bool = True
    """Or is it a tab that is closed again and again, and shares its connection with all others that don't stay?"""

    @property
    def exact(self) -> bool:
        """Whether it is given each update, rather than what has changed."""
        return bool(self.roads)


@dataclass
class Account:
    """What one watch was told."""

    seq: int = 0
    heard: int = 0
    connections: list[str] = field(default_factory=list)
    end: JsonObject | None = None
    faults: list[str] = field(default_factory=list)
    snapshots: list[str] = field(default_factory=list)
    verified: bool | None = None
    error: str | None = None


class Witnesses:
    """All watches of a process, by their reader and job."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self.readers = readers
        self.accounts = {(at, job): Account() for at, reader in enumerate(readers) for job in reader.jobs}

    @property
    def failed(self) -> list[str]:
        """Why watches ended without their job's end."""
        return [account.error for account in self.accounts.values() if account.error]

    def snapshots(self, reader: int) -> list[str]:
        """Why the reader's watches were given snapshots."""
        return [why for (at, _), account in self.accounts.items() if at == reader for why in account.snapshots]

    def behind(self, job: str, seq: int) -> int:
        """How many updates the slowest watch of the job lacks that is given each of them."""
        seqs = [self.accounts[at, job].seq for at, each in enumerate(self.readers) if each.exact and job in each.jobs]
        return seq - min(seqs, default=seq)

    def take(self, line: JsonObject) -> None:
        """One line that the process said."""
        account = self.accounts[line.pop("reader"), line.pop("job")]
        if "connection" in line:
            account.connections.append(line["connection"])
            return
        account.heard += 1
        for name, value in line.items():
            if hasattr(account, name):
                setattr(account, name, value)

    async def until_ended(self) -> None:
        """Return when every watch has ended."""

        async def ended() -> bool:
            return all(account.end or account.error for account in self.accounts.values())

        await until(ended)


@asynccontextmanager
async def witnessing(
    url: str, readers: Sequence[Reader], *, mint: str = "", pace: JsonObject = HASTE
) -> AsyncIterator[Witnesses]:
    """Clients that watch by that way; tokens are made at `mint`. Their process is gone when the block ends."""
    told = [asdict(each) for each in readers]
    how = {"url": url, "mint": mint or url, "secret": SECRET, "pace": pace, "readers": told}
    process = await asyncio.create_subprocess_exec(
        node(),
        str(WEB / "tests" / "witness.js"),
        json.dumps(how),
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE,
    )
    witnesses = Witnesses(readers)
    listening = asyncio.create_task(_listen(process, witnesses))
    try:
        yield witnesses
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


async def _listen(process: asyncio.subprocess.Process, witnesses: Witnesses) -> None:
    assert process.stdout
    async for line in process.stdout:
        witnesses.take(json.loads(line))
