"""`python -m bench.engine`: our engine beside arq as it comes, SAQ and streaQ, on one store; `--full` for longer."""

import argparse
import asyncio
import statistics
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.engine.entrants import OURS, peers
from bench.engine.program import ROOT
from bench.engine.race import Race
from bench.engine.report import Report, Summary, quantiles_ms
from jobs.embedded import open_embedded


@dataclass(frozen=True)
class Extent:
    """How much is measured; `scale` multiplies the jobs of each drain."""

    rounds: int
    scale: int
    waits: int
    idle_seconds: int
    steps: int = 300
    waiting: int = 10_000


QUICK = Extent(rounds=3, scale=1, waits=100, idle_seconds=20)
FULL = Extent(rounds=9, scale=3, waits=1000, idle_seconds=60)


async def main(extent: Extent) -> None:
    """Measure, tell, and keep the figures."""
    entrants, absent = peers()
    with TemporaryDirectory(prefix="jobstream-") as folder:
        async with open_embedded(Path(folder)) as store:
            race = Race(store.url, [OURS, *entrants])
            own = await _measure(race, extent)
    summaries = [Summary.of(figures, extent.scale, race.figures[0]) for figures in race.figures]
    report = Report(extent.rounds, summaries, absent | race.failed, own)
    report.show()
    report.keep(ROOT / "bench" / "results" / "engine.json")


async def _measure(race: Race, extent: Extent) -> dict[str, float]:
    """Everything, into the race's figures; what only our engine has is returned, by its name."""
    for _ in range(extent.rounds):
        await race.drain_all(extent.scale)
    await race.wait_all(extent.waits)
    await race.idle_all(extent.idle_seconds)
    beside = await race.wait_beside(OURS, extent.waits, extent.waiting)
    steps = [await race.step_seconds(extent.steps) for _ in range(extent.rounds)]
    p50, p99 = quantiles_ms(beside.waits)
    return {
        "ms of a kept step": 1000 * statistics.median(steps),
        f"submit to start p50 ms beside {extent.waiting} that wait": p50,
        f"submit to start p99 ms beside {extent.waiting} that wait": p99,
        "KiB of the store for each that waits": beside.bytes_per_waiting / 1024,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    asyncio.run(main(FULL if parser.parse_args().full else QUICK))
