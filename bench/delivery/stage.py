"""Where contenders are measured: one store for all, and for each trial a fresh server, a publisher and readers."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.delivery.building import compiled
from bench.delivery.contenders import Contender, How, Place
from bench.delivery.held import Held
from bench.delivery.processes import OTHER_CORE, SERVER_CORE, Broken, Running, pinned, running
from jobs.connection import Client, connect
from jobs.embedded import open_embedded

HERE = Path(__file__).parent
START_SECONDS = 60.0
WARM_SECONDS = 45.0
DRAIN_SECONDS = 15.0
STILL_SECONDS = 3.0
"""Without a delivery for so long, nothing more is to come."""

PAUSE_SECONDS = 0.05
DISTURBED = 0.05
STORE_CLIENTS = 16_000


@dataclass(frozen=True)
class Outcome:
    """What became of the updates of one run; times in milliseconds, and what took how much of a core."""

    rate: float
    seconds: float
    expected: int
    received: int
    doubled: int
    reordered: int
    jumped: int
    p50: float
    p99: float
    worst: float
    server_cpu_seconds: float
    server_waited_seconds: float
    readers_cpu_seconds: float
    publisher_cpu_seconds: float
    store_cpu_seconds: float
    sent_seconds: float
    settled: bool
    """Whether nothing was under way any more when it was looked at last."""

    @property
    def lost(self) -> int:
        """Deliveries that never came, nor a snapshot in their place."""
        return self.expected - self.received - self.jumped if self.settled else 0

    @property
    def wrong(self) -> int:
        """How many deliveries were not as they must be."""
        return self.lost + self.doubled + self.reordered

    @property
    def server_share(self) -> float:
        """How much of its core the server took while updates were sent."""
        return self.server_cpu_seconds / self.sent_seconds

    @property
    def per_cpu_second(self) -> float:
        """Deliveries of a second of the server's processor time: true however busy the machine is."""
        return self.received / max(self.server_cpu_seconds, 1e-9)

    @property
    def disturbed(self) -> bool:
        """Whether somebody else had a good part of the server's core."""
        return self.server_waited_seconds > DISTURBED * self.sent_seconds

    @property
    def kept_up(self) -> bool:
        """Whether the updates were sent at their rate."""
        return self.sent_seconds < 1.05 * self.seconds + 0.1

    def __str__(self) -> str:
        wrong = f", lost {self.lost}, doubled {self.doubled}, reordered {self.reordered}" if self.wrong else ""
        return (
            f"{self.rate:,.0f}/s: p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms{wrong}; of a core: server "
            f"{self.server_share:.0%}, readers {self.readers_cpu_seconds / self.sent_seconds:.0%}, "
            f"publisher {self.publisher_cpu_seconds / self.sent_seconds:.0%}, "
            f"store {self.store_cpu_seconds / self.sent_seconds:.0%}"
            f"{f', disturbed {self.server_waited_seconds / self.sent_seconds:.0%}' if self.disturbed else ''}"
            f"{'' if self.kept_up else ', could not be sent at this rate'}"
        )


@dataclass
class Stage:
    """The store and the folder that all trials share."""

    folder: Path
    store: str
    client: Client
    held: Held

    @asynccontextmanager
    async def trial(self, contender: Contender, channels: int, *, how: How | None = None) -> AsyncIterator["Trial"]:
        """A fresh server with so many channels, none read yet; all of it is gone when the block ends."""
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(dir=self.folder)))
            place = Place(_free_port(), self.store, self.folder / "data", folder)
            environment = {"PATH": os.environ["PATH"], **contender.environment(place)}
            command = contender.command(place)
            server = await stack.enter_async_context(
                running("server", command, core=SERVER_CORE, folder=folder, environment=environment)
            )
            await _until_open(place.port, server)
            names = await self._write_channels(contender, channels, folder)
            publishing = how or contender.how
            to = f"127.0.0.1:{place.port}" if publishing == "post" else self.store
            publisher = await stack.enter_async_context(
                running(
                    "publisher",
                    [sys.executable, "-m", "bench.delivery.publisher", publishing, to, str(folder / "channels")],
                    core=OTHER_CORE,
                    folder=folder,
                )
            )
            (folder / "targets").write_text("\n".join(map(contender.target, names)))
            (folder / "headers").write_text(
                "".join(f"{name}: {value}\r\n" for name, value in contender.headers.items())
            )
            readers = await stack.enter_async_context(
                running(
                    "readers",
                    [
                        str(compiled(HERE / "load.c")),
                        "127.0.0.1",
                        str(place.port),
                        str(folder / "targets"),
                        str(folder / "headers"),
                    ],
                    core=OTHER_CORE,
                    folder=folder,
                )
            )
            await publisher.ask(f"fresh {channels}")
            yield Trial(self, server, publisher, readers, place.port, names)

    async def store_cpu_seconds(self) -> float:
        """The processor time that the store has taken."""
        used = await self.client.info("cpu")
        return float(used["used_cpu_user"] + used["used_cpu_sys"])

    async def _write_channels(self, contender: Contender, count: int, folder: Path) -> Sequence[str]:
        """The names of the channels; how the publisher needs them goes to a file."""
        if not contender.ours:
            names = [f"{folder.name}-{number}" for number in range(count)]
            (folder / "channels").write_text("\n".join(names))
            return names
        jobs = await self.held.jobs(count)
        (folder / "channels").write_text("\n".join(map(str, jobs)))
        return [job.job_id for job in jobs]


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """A stage; its folder and the store in it are gone when the block ends."""
    with TemporaryDirectory(prefix="jobstream-") as name, pinned(OTHER_CORE):
        folder = Path(name)
        async with open_embedded(folder / "data") as store, connect(store.url) as client:
            await client.config_set("maxclients", STORE_CLIENTS)  # for who wants a connection for each reader
            yield Stage(folder, store.url, client, Held(client))


class Trial:
    """One server with its publisher and its readers."""

    def __init__(
        self, stage: Stage, server: Running, publisher: Running, readers: Running, port: int, channels: Sequence[str]
    ) -> None:
        self._stage = stage
        self.server = server
        self.publisher = publisher
        self._readers = readers
        self.port = port
        self.channels = channels
        self._streams = 0

    async def open(self, count: int) -> float:
        """Open so many more streams; the seconds that it took."""
        answer = await self._readers.ask(f"open {count}")
        self._streams += count
        if answer["opened"] != self._streams:
            raise Broken(f"{answer['opened']} of {self._streams} streams were opened, status {answer['refusal']}")
        return float(answer["seconds"])

    async def warm(self) -> None:
        """Return when every stream has been told something."""
        deadline = time.monotonic() + WARM_SECONDS
        while (await self._readers.ask("warm"))["warm"] < self._streams:
            if time.monotonic() > deadline:
                raise Broken("not every stream is told what is published")
            await self.publisher.ask("warm")
            await asyncio.sleep(10 * PAUSE_SECONDS)

    async def run(self, rate: float, seconds: float) -> Outcome:
        """Updates at this rate, in turns over the channels, until the last has come or none comes any more."""
        await self._readers.ask("reset")
        server_cpu, waited = self.server.cpu_seconds, self.server.waited_seconds
        store_cpu = await self._stage.store_cpu_seconds()
        sent = await self.publisher.ask(f"run {rate} {seconds}")
        expected = sent["sent"] * self._streams // len(self.channels)
        heard, settled = await self._drained(expected)
        return Outcome(
            rate=rate,
            seconds=seconds,
            expected=expected,
            received=heard["received"],
            doubled=heard["doubled"],
            reordered=heard["reordered"],
            jumped=heard["jumped"],
            p50=heard["p50_ms"],
            p99=heard["p99_ms"],
            worst=heard["worst_ms"],
            server_cpu_seconds=self.server.cpu_seconds - server_cpu,
            server_waited_seconds=self.server.waited_seconds - waited,
            readers_cpu_seconds=heard["cpu_seconds"],
            publisher_cpu_seconds=sent["cpu_seconds"],
            store_cpu_seconds=await self._stage.store_cpu_seconds() - store_cpu,
            sent_seconds=sent["seconds"],
            settled=settled,
        )

    async def cut(self, streams: int) -> None:
        """Break so many streams off without a word; they come back with the last id that they were given."""
        await self._readers.ask(f"cut {streams}")

    async def _drained(self, expected: int) -> tuple[Any, bool]:
        """What the readers have heard when all has come, or nothing more does; False where more still came."""
        clock = time.monotonic
        began = still_since = clock()
        received = -1
        while clock() - began < DRAIN_SECONDS:
            heard = await self._readers.ask("report")
            if heard["received"] + heard["jumped"] >= expected or clock() - still_since > STILL_SECONDS:
                return heard, True
            if heard["received"] != received:
                received, still_since = heard["received"], clock()
            await asyncio.sleep(PAUSE_SECONDS)
        return await self._readers.ask("report"), False


async def _until_open(port: int, server: Running) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if server.ended or time.monotonic() > deadline:
                raise server.broken() from None
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            writer.close()
            return


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
