"""What was measured, in numbers: a table to read and a file to keep."""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Wait:
    """One kind of wait, many times over; milliseconds."""

    what: str
    count: int
    p50: float
    p99: float
    worst: float

    @classmethod
    def of(cls, what: str, seconds: Sequence[float]) -> "Wait":
        """The figures of what was measured."""
        return cls(what, len(seconds), *(1000 * quantile(seconds, part) for part in (0.5, 0.99, 1.0)))


def quantile(values: Sequence[float], part: float) -> float:
    """The smallest of the values that this part of them does not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def show(waits: Sequence[Wait], ratios: dict[str, float]) -> None:
    """Print the waits side by side, and how they compare."""
    table = Table(
        "milliseconds", box=box.SIMPLE_HEAD, caption=f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    for heading in ("times", "p50", "p99", "worst"):
        table.add_column(heading, justify="right")
    for wait in waits:
        table.add_row(wait.what, str(wait.count), *(f"{figure:.1f}" for figure in (wait.p50, wait.p99, wait.worst)))
    console = Console(highlight=False)
    console.print(table)
    for what, ratio in ratios.items():
        console.print(f"{what}: {ratio:.4f}", soft_wrap=True)


def keep(waits: Sequence[Wait], ratios: dict[str, float], file: Path) -> None:
    """Write the same to a JSON file."""
    file.parent.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    facts = {"unit": "ms", "machine": machine, "waits": [asdict(wait) for wait in waits], "ratios of p50": ratios}
    file.write_text(json.dumps(facts, indent=2) + "\n")
