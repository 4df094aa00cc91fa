"""The search for the most that each server keeps up with, step by step, each step on a fresh server."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.delivery.contenders import Contender, How
from bench.delivery.measured import Measured
from bench.delivery.outcome import Outcome
from bench.delivery.processes import Broken
from bench.delivery.search import Search
from bench.delivery.stage import Stage
from jobstream.client import JobstreamError

LATE_MS = 100.0
TRIES = 2
"""Of a rate that fails while somebody else uses the server's core."""

FEWEST_UPDATES = 4
"""With fewer in a run, no rate is told from another."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Load:
    """What a step puts on a server; `beyond` is how ours is given more than its store takes."""

    row: str
    channels: int
    streams: int
    late_ms: float = LATE_MS
    beyond: How | None = None

    def kept_up(self, outcome: Outcome) -> bool:
        """Whether the server took it."""
        return outcome.settled and outcome.kept_up and outcome.p99 < self.late_ms and not outcome.lost


@dataclass(frozen=True)
class Sweep:
    """One load at many rates; `searches` are by the contenders' names."""

    stage: Stage
    load: Load
    seconds: float
    searches: dict[str, Search]
    measured: Measured
    say: Say

    async def run(self, contenders: Sequence[Contender]) -> None:
        """Each contender's highest rate, and how late its deliveries are at half of it."""
        while going := [each for each in contenders if not self._over(each)]:
            for contender in going:
                await self._advance(contender)
        for contender in contenders:
            self._note_highest(contender)
            if rate := self.searches[contender.name].passed / 2:
                await self._measure_half(contender, rate)

    def _over(self, contender: Contender) -> bool:
        search = self.searches[contender.name]
        return search.over or search.rate * self.seconds < FEWEST_UPDATES

    async def _advance(self, contender: Contender) -> None:
        search = self.searches[contender.name]
        if outcome := await self._undisturbed(contender, search.rate):
            search.take(passed=self.load.kept_up(outcome), share=outcome.server_share)
        else:
            search.give_up()

    def _note_highest(self, contender: Contender) -> None:
        search, what = self.searches[contender.name], f"{self.load.row}: deliveries/s"
        if search.passed:
            self.measured.set(contender, what, search.passed * self.load.streams / self.load.channels)
            if search.bound_elsewhere or math.isinf(search.failed):
                self.measured.at_least.add((what, contender.name))

    async def _measure_half(self, contender: Contender, rate: float) -> None:
        if outcome := await self._step(contender, rate):
            self.measured.set(contender, f"{self.load.row}: p50 ms at half", outcome.p50)
            self.measured.set(contender, f"{self.load.row}: p99 ms at half", outcome.p99)

    async def _undisturbed(self, contender: Contender, rate: float) -> Outcome | None:
        """A run that was kept up with, or was not though the server had its core to itself; else the last one."""
        for _ in range(TRIES):
            outcome = await self._step(contender, rate)
            if outcome is None or self.load.kept_up(outcome) or not outcome.disturbed:
                break
        return outcome

    async def _step(self, contender: Contender, rate: float) -> Outcome | None:
        """One run on a fresh server; None where it broke."""
        found: list[Outcome] = []

        async def run() -> None:
            how = self.load.beyond if contender.ours else None
            async with self.stage.trial(contender, self.load.channels, how=how) as trial:
                await trial.open(self.load.streams)
                await trial.warm()
                found.append(await trial.run(rate, self.seconds))

        await unless_broken(self.measured, contender, self.load.row, run(), self.say)
        for outcome in found:
            self.measured.count(contender, self.load.row, outcome)
            self.measured.set_highest(contender, f"{self.load.row}: deliveries per CPU s", outcome.per_cpu_second)
            self.say(f"{self.load.row}, {contender.name}: {outcome}")
        return found[0] if found else None


async def unless_broken(
    measured: Measured, contender: Contender, row: str, measuring: Awaitable[None], say: Say
) -> None:
    """The others go on where one contender cannot."""
    try:
        await measuring
    except* (Broken, JobstreamError, OSError) as reasons:
        reason = "; ".join(map(str, reasons.exceptions))
        measured.absent[f"{contender.name} in {row}"] = reason
        say(f"{row}, {contender.name}: {reason}")
