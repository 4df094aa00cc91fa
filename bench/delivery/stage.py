"""Where contenders are measured: one store for all, and for each trial a fresh server, a publisher and readers."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.delivery.building import compiled
from bench.delivery.contenders import Contender, How, Place
from bench.delivery.held import Held
from bench.delivery.processes import OTHER_CORE, SERVER_CORE, Running, pinned, running
from bench.delivery.trial import Trial
from jobs.connection import Client, connect
from jobs.embedded import open_embedded

HERE = Path(__file__).parent
START_SECONDS = 60.0
PAUSE_SECONDS = 0.05
CHANNELS = "channels"
STORE_CLIENTS = 16_000


@dataclass
class Stage:
    """The store and the folder that all trials share."""

    folder: Path
    store: str
    client: Client
    held: Held

    @asynccontextmanager
    async def trial(self, contender: Contender, channels: int, *, how: How | None = None) -> AsyncIterator[Trial]:
        """A fresh server with so many channels, none read yet; all of it is gone when the block ends."""
        with TemporaryDirectory(dir=self.folder) as name:
            folder = Path(name)
            place = Place(_free_port(), self.store, self.folder / "data", folder)
            names = await self._write_channels(contender, channels, folder)
            async with (
                _serving(contender, place) as server,
                _publishing(how or contender.how, place) as publisher,
                _reading(contender, place, names) as readers,
            ):
                await publisher.ask(f"fresh {channels}")
                yield Trial(self.client, server, publisher, readers, place.port, names)

    async def _write_channels(self, contender: Contender, count: int, folder: Path) -> Sequence[str]:
        """The names of the channels; how the publisher needs them goes to a file."""
        if not contender.ours:
            names = [f"{folder.name}-{number}" for number in range(count)]
            (folder / CHANNELS).write_text("\n".join(names))
            return names
        jobs = await self.held.jobs(count)
        (folder / CHANNELS).write_text("\n".join(map(str, jobs)))
        return [job.job_id for job in jobs]


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """A stage; its folder and the store in it are gone when the block ends."""
    with TemporaryDirectory(prefix="jobstream-") as name, pinned(OTHER_CORE):
        folder = Path(name)
        async with open_embedded(folder / "data") as store, connect(store.url) as client:
            await client.config_set("maxclients", STORE_CLIENTS)  # for who wants a connection for each reader
            yield Stage(folder, store.url, client, Held(client))


@asynccontextmanager
async def _serving(contender: Contender, place: Place) -> AsyncIterator[Running]:
    """The contender, once it takes connections."""
    environment = {"PATH": os.environ["PATH"], **contender.environment(place)}
    command = contender.command(place)
    async with running("server", command, core=SERVER_CORE, folder=place.folder, environment=environment) as server:
        await _until_open(place.port, server)
        yield server


def _publishing(how: How, place: Place) -> AbstractAsyncContextManager[Running]:
    to = f"127.0.0.1:{place.port}" if how == "post" else place.store
    command = [sys.executable, "-m", "bench.delivery.publisher", how, to, str(place.folder / CHANNELS)]
    return running("publisher", command, core=OTHER_CORE, folder=place.folder)


def _reading(contender: Contender, place: Place, names: Sequence[str]) -> AbstractAsyncContextManager[Running]:
    targets, headers = place.folder / "targets", place.folder / "headers"
    targets.write_text("\n".join(map(contender.target, names)))
    headers.write_text("".join(f"{name}: {value}\r\n" for name, value in contender.headers.items()))
    command = [str(compiled(HERE / "load.c")), "127.0.0.1", str(place.port), str(targets), str(headers)]
    return running("readers", command, core=OTHER_CORE, folder=place.folder)


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
