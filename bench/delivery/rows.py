"""What is measured, row by row; in each the contenders take turns, so that a noisy minute is everybody's."""

import asyncio
import os
import statistics
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bench.delivery.contenders import Contender
from bench.delivery.measured import Measured
from bench.delivery.processes import OTHER_CORE, SERVER_CORE, pinned
from bench.delivery.search import Search
from bench.delivery.stage import PAUSE_SECONDS, Stage
from bench.delivery.sweep import LATE_MS, Load, Say, Sweep, unless_broken
from bench.delivery.watching import POLL_SECONDS, WAYS, Watch, Way, nobody
from bench.pickup.chats import pick_ups
from bench.pickup.report import quantile
from jobstream.product import running_product

WARM_STREAMS = 50
"""Opened before memory is looked at: they load what a server loads with its first request."""

SETTLE_SECONDS = 1.5
PING_SECONDS = 15.0
PINGED_STREAMS = 10_000
"""With fewer, what pings take cannot be told from nothing."""

FAN_RATE = 50.0
WATCHED_RATE = 5.0
CUT_RATE, CUTS = 10.0, 4
LATE_MS_OF_A_READER = 0.05
"""Where one update goes to so many that the machine itself takes longer to write it to all of them and read it."""

LOG_RATE = 6000.0


@dataclass(frozen=True)
class Extent:
    """How long is measured: a step of a search, how many of them, how often what is no search is repeated, how long
    the job that is watched runs, and how many chats are submitted."""

    seconds: float
    steps: int
    rounds: int
    watch_seconds: float
    chats: int


class Bench:
    """All rows on one stage, into one set of figures."""

    def __init__(self, stage: Stage, contenders: Sequence[Contender], extent: Extent, say: Say) -> None:
        self._stage = stage
        self._contenders = contenders
        self._extent = extent
        self._say = say
        self.measured = Measured()

    async def idle(self, streams: int) -> None:
        """KiB that a stream without news costs, how many are opened a second, and what pings take of a core."""
        for contender in self._contenders:
            await self._unless_broken(contender, f"{streams} idle", self._idle(contender, streams))

    async def cpu(self, readers: int) -> None:
        """Processor time of one delivery, at few updates to many readers."""
        taken: dict[str, list[float]] = {}
        for _ in range(self._extent.rounds):
            for contender in self._contenders:
                figures = taken.setdefault(contender.name, [])
                await self._unless_broken(contender, "CPU", self._cpu(contender, readers, figures))
        for contender in self._contenders:
            if figures := taken[contender.name]:
                self.measured.set(contender, "CPU us per delivery", statistics.median(figures))

    async def fan(self, readers: int) -> None:
        """The most deliveries a second of one channel's updates to all of its readers."""
        late_ms = max(LATE_MS, readers * LATE_MS_OF_A_READER)
        load = Load(f"fan to {readers}", channels=1, streams=readers, late_ms=late_ms)
        await self._sweep(load, {each.name: each.begin.fan * 1000 / readers for each in self._contenders})

    async def many(self, channels: int) -> None:
        """The most updates a second over so many channels with a reader each."""
        load = Load(f"many, {channels}", channels=channels, streams=channels, beyond="announce")
        await self._sweep(load, {each.name: each.begin.many for each in self._contenders})

    async def appended(self, channels: int) -> None:
        """The same of ours with every update in its log: the store is the bound."""
        load = Load(f"many through the log, {channels}", channels=channels, streams=channels)
        await self._sweep(load, {each.name: LOG_RATE for each in self._contenders if each.ours})

    async def cuts(self, readers: int) -> None:
        """What is lost where readers break off in the middle and come back with the last id that they have."""
        for contender in self._contenders:
            await self._unless_broken(contender, "cuts", self._cuts(contender, readers))

    async def users(self) -> None:
        """What a page saw of one job, when, and what that took, for each way to watch it."""
        for contender in self._contenders:
            for name, way in WAYS.items() if contender.ours else ():
                await self._unless_broken(contender, name, self._watched(contender, name, way))

    async def first(self) -> None:
        """How long a submitted job's reader waits for its first update, in the whole product, on an idle system."""
        for contender in self._contenders:
            if contender.ours:
                await self._unless_broken(contender, "first", self._first(contender))

    async def _sweep(self, load: Load, begin: Mapping[str, float]) -> None:
        searches = {name: Search(rate, self._extent.steps) for name, rate in begin.items()}
        sweep = Sweep(self._stage, load, self._extent.seconds, searches, self.measured, self._say)
        await sweep.run([each for each in self._contenders if each.name in begin])

    async def _idle(self, contender: Contender, streams: int) -> None:
        async with self._stage.trial(contender, streams + WARM_STREAMS) as trial:
            await trial.open(WARM_STREAMS)
            await asyncio.sleep(SETTLE_SECONDS)
            before = trial.server.memory_bytes
            seconds = await trial.open(streams)
            await asyncio.sleep(SETTLE_SECONDS)
            kib = (trial.server.memory_bytes - before) / 1024 / streams
            self.measured.set(contender, f"{streams} idle: KiB per stream", kib)
            self.measured.set(contender, f"{streams} idle: opened/s", streams / seconds)
            if streams >= PINGED_STREAMS:
                cpu = trial.server.cpu_seconds
                await asyncio.sleep(PING_SECONDS)
                share = (trial.server.cpu_seconds - cpu) / PING_SECONDS
                self.measured.set(contender, f"{streams} idle: % of a core", 100 * share)
        self._say(f"{streams} idle, {contender.name}: {kib:.2f} KiB each, {streams / seconds:,.0f} opened/s")

    async def _cpu(self, contender: Contender, readers: int, figures: list[float]) -> None:
        async with self._stage.trial(contender, 1) as trial:
            await trial.open(readers)
            await trial.warm()
            outcome = await trial.run(FAN_RATE, self._extent.seconds)
        self.measured.count(contender, "cpu", outcome)
        figures.append(1e6 * outcome.server_cpu_seconds / max(1, outcome.received))
        self._say(f"CPU, {contender.name}: {figures[-1]:.1f} us per delivery; {outcome}")

    async def _cuts(self, contender: Contender, readers: int) -> None:
        async with self._stage.trial(contender, 1) as trial:
            await trial.open(readers)
            await trial.warm()
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(trial.run(CUT_RATE, self._extent.seconds))
                for _ in range(CUTS):
                    await asyncio.sleep(self._extent.seconds / (CUTS + 1))
                    await trial.cut(readers // CUTS)
        outcome = running.result()
        wrong = {"lost": outcome.lost, "doubled": outcome.doubled, "reordered": outcome.reordered}
        for what, count in wrong.items():
            self.measured.set(contender, f"{CUTS * (readers // CUTS)} cuts: {what}", count)
        if contender.ours:
            self.measured.count(contender, "cuts", outcome)
        self._say(f"cuts, {contender.name}: {outcome}")

    async def _first(self, contender: Contender) -> None:
        environment = {"PATH": os.environ["PATH"], "JOBSTREAM_SANDBOX_PACE": "0"}  # without keys, whoever runs it
        with pinned(SERVER_CORE, OTHER_CORE):
            async with running_product(environment) as product:
                chats = await product.processes.beside(pick_ups(product, self._extent.chats))
        waits = [1000 * each.first_update for each in chats]
        for part in (50, 99):
            self.measured.set(contender, f"submit to first update: p{part} ms", quantile(waits, part / 100))

    async def _watched(self, contender: Contender, name: str, way: Way) -> None:
        async with self._stage.trial(contender, 1) as trial:

            def page() -> Watch:
                return Watch(trial.port, f"/v1/jobs/{trial.channels[0]}", contender.headers)

            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_SECONDS):
                    await way(page())  # the first one loads what the server needs for it
            watch, cpu = page(), trial.server.cpu_seconds
            watching = asyncio.create_task(way(watch))
            sent = await trial.publisher.ask(f"run {WATCHED_RATE} {self._extent.watch_seconds}")
            with suppress(TimeoutError):
                async with asyncio.timeout(2 * POLL_SECONDS):
                    while way is not nobody and len(watch.delays) < sent["sent"]:  # noqa: ASYNC110  # nobody tells
                        await asyncio.sleep(PAUSE_SECONDS)
            cpu = trial.server.cpu_seconds - cpu
            watching.cancel()
            await asyncio.wait([watching])
        found = {"server CPU ms": 1000 * cpu, "requests": watch.requests, "KiB": watch.wire_bytes / 1024}
        if delays := list(watch.delays.values()):
            found |= {f"seen after ms, p{part}": 1000 * quantile(delays, part / 100) for part in (50, 99)}
            found["never seen"] = sent["sent"] - len(delays)
        self.measured.ways[name] = found
        self._say(f"users, {name}: " + ", ".join(f"{what} {figure:.1f}" for what, figure in found.items()))

    async def _unless_broken(self, contender: Contender, row: str, measuring: Awaitable[None]) -> None:
        await unless_broken(self.measured, contender, row, measuring, self._say)
