"""What was measured, in numbers: a table to read."""

import os
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 120
"""Of the table, where it goes to a file."""


@dataclass(frozen=True)
class Figure:
    """One copy: who made it, into what, and what it took."""

    way: str
    scheme: str
    rows: int
    rows_per_second: float
    cpu_us_per_row: float
    peak_mib: float

    @classmethod
    def of(cls, way: str, scheme: str, rows: int, answer: Mapping[str, float]) -> "Figure":
        return cls(way, scheme, rows, rows / answer["seconds"], 1e6 * answer["cpu"] / rows, answer["peak_mib"])


def show(figures: Sequence[Figure]) -> None:
    """Print the medians of each way, and how they compare with the first of the others."""
    table = Table(
        "into",
        "way",
        "rows",
        "rows/s",
        "of the first\nof the others",
        "our CPU,\nus a row",
        "peak MiB",
        box=box.SIMPLE_HEAD,
    )
    for column in table.columns[2:]:
        column.justify = "right"
    for scheme in dict.fromkeys(figure.scheme for figure in figures):
        here = [figure for figure in figures if figure.scheme == scheme]
        ways = {
            way: [figure for figure in here if figure.way == way] for way in dict.fromkeys(each.way for each in here)
        }
        yardstick = next((_median(alike) for way, alike in ways.items() if not way.startswith("ours")), None)
        for way, alike in ways.items():
            table.add_row(*_cells(scheme, way, alike, yardstick))
    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=WIDTH)
    console.print(table)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def _cells(scheme: str, way: str, alike: Sequence[Figure], yardstick: float | None) -> Sequence[str]:
    rate = _median(alike)
    return (
        scheme,
        way,
        f"{alike[0].rows:,}",
        f"{rate:,.0f}",
        f"{rate / yardstick:.2f}" if yardstick else "",
        f"{statistics.median(figure.cpu_us_per_row for figure in alike):.1f}",
        f"{max(figure.peak_mib for figure in alike):.0f}",
    )


def _median(alike: Sequence[Figure]) -> float:
    return statistics.median(figure.rows_per_second for figure in alike)
