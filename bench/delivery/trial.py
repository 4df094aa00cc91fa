"""One server with its publisher and its readers: streams are opened, updates sent, and what came of them counted."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from bench.delivery.outcome import Outcome
from bench.delivery.processes import Broken, Running
from jobs.connection import Client

WARM_SECONDS = 45.0
DRAIN_SECONDS = 15.0
STILL_SECONDS = 3.0
"""Without a delivery for so long, nothing more is to come."""

PAUSE_SECONDS = 0.05


class Trial:
    """One server with its publisher and its readers."""

    def __init__(
        self,
        client: Client,
        server: Running,
        publisher: Running,
        readers: Running,
        port: int,
        channels: Sequence[str],
    ) -> None:
        self._client = client
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
        store_cpu = await self._store_cpu_seconds()
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
            store_cpu_seconds=await self._store_cpu_seconds() - store_cpu,
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
                await asyncio.sleep(PAUSE_SECONDS)  # what comes twice may come last
                return await self._readers.ask("report"), True
            if heard["received"] != received:
                received, still_since = heard["received"], clock()
            await asyncio.sleep(PAUSE_SECONDS)
        return await self._readers.ask("report"), False

    async def _store_cpu_seconds(self) -> float:
        used = await self._client.info("cpu")
        return float(used["used_cpu_user"] + used["used_cpu_sys"])
