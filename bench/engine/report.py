"""What was measured, in numbers: a table to read and a file to keep."""

import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.engine.race import Figures

WIDTH = 160
"""Of the table, where it goes to a file."""


@dataclass(frozen=True)
class Summary:
    """An entrant's figures in brief; `times_its_rate` and `of_its_start` say how we compare with it."""

    name: str
    jobs: int
    repeats: int
    jobs_per_second: float
    slowest: float
    fastest: float
    times_its_rate: float
    worker_us_per_job: float
    submitted_per_second: float
    start_p50_ms: float
    start_p99_ms: float
    of_its_start: float
    idle_cpu_percent: float

    @classmethod
    def of(cls, figures: Figures, scale: int, ours: Figures) -> "Summary":
        """The medians, and how far the rounds lie apart; rates are compared round by round, as they were run."""
        rounds = figures.jobs_per_second
        p50, p99 = quantiles_ms(figures.waits)
        return cls(
            name=figures.entrant.name,
            jobs=scale * figures.entrant.jobs * len(rounds),
            repeats=figures.repeats,
            jobs_per_second=statistics.median(rounds),
            slowest=min(rounds),
            fastest=max(rounds),
            times_its_rate=statistics.median(
                mine / its for mine, its in zip(ours.jobs_per_second, rounds, strict=True)
            ),
            worker_us_per_job=statistics.median(figures.worker_us_per_job),
            submitted_per_second=statistics.median(figures.submitted_per_second),
            start_p50_ms=p50,
            start_p99_ms=p99,
            of_its_start=quantiles_ms(ours.waits)[0] / p50,
            idle_cpu_percent=100 * figures.idle_cpu,
        )

    def cells(self) -> Sequence[str]:
        """The summary as a row."""
        return (
            self.name,
            f"{self.jobs:,}",
            f"{self.repeats}",
            f"{self.jobs_per_second:,.0f}",
            f"{self.slowest:,.0f} to {self.fastest:,.0f}",
            f"{self.times_its_rate:.2f}",
            f"{self.worker_us_per_job:.0f}",
            f"{self.submitted_per_second:,.0f}",
            f"{self.start_p50_ms:.1f}",
            f"{self.start_p99_ms:.1f}",
            f"{self.of_its_start:.2f}",
            f"{self.idle_cpu_percent:.2f} %",
        )


HEADINGS = (
    *("engine", "jobs, all\nended", "begun\ntwice", "jobs/s", "of its rounds", "ours\nover it"),
    *("worker's\nus/job", "submitted/s", "submit to\nstart p50 ms", "p99", "ours\nover it", "idle\nCPU"),
)


def quantiles_ms(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile, in milliseconds."""
    return 1000 * statistics.median(seconds), 1000 * statistics.quantiles(seconds, n=100)[98]


@dataclass(frozen=True)
class Report:
    """All that one run measured; ours is the first of the summaries."""

    rounds: int
    summaries: Sequence[Summary]
    absent: dict[str, str]
    own: dict[str, float]

    def show(self) -> None:
        """Print it."""
        caption = (
            f"one worker each; medians of {self.rounds} rounds in turns; "
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        table = Table(*HEADINGS, box=box.SIMPLE_HEAD, caption=caption)
        for column in table.columns:
            column.justify, column.no_wrap = "left" if column is table.columns[0] else "right", True
        for summary in self.summaries:
            table.add_row(*summary.cells())
        console = Console(highlight=False)
        console = console if console.is_terminal else Console(highlight=False, width=WIDTH)
        console.print(table)
        for what, figure in self.own.items():
            console.print(f"{what}: {figure:.3g}")
        for name, reason in self.absent.items():
            console.print(f"{name} was left out: {reason}")

    def keep(self, file: Path) -> None:
        """Write the same to a JSON file."""
        facts: dict[str, Any] = {
            "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0]},
            "rounds": self.rounds,
            "engines": [vars(summary) for summary in self.summaries],
            "own": self.own,
            "left out": self.absent,
        }
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(facts, indent=2) + "\n")
