"""What was measured, in numbers: tables to read and a file to keep."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from bench.delivery.contenders import Contender
from bench.delivery.goals import Verdict, verdicts
from bench.delivery.measured import Measured

WIDTH = 170
"""Of the tables, where they go to a file."""


@dataclass(frozen=True)
class Report:
    """All that one run measured."""

    contenders: Sequence[Contender]
    measured: Measured

    def show(self) -> None:
        """Print it."""
        console = Console(highlight=False)
        console = console if console.is_terminal else Console(highlight=False, width=WIDTH)
        for each in self.contenders:
            console.print(f"{each.name}: {each.what}")
        console.print(self._figures())
        if self.measured.ways:
            console.print(_ways(self.measured.ways))
        if found := verdicts(self.measured):
            console.print(_goals(found))
        for who, reason in self.measured.absent.items():
            console.print(f"left out: {who}: {reason}", soft_wrap=True)

    def keep(self, file: Path) -> None:
        """Write the same to a JSON file."""
        facts: dict[str, Any] = {
            "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0]},
            "figures": self.measured.figures,
            "at least": sorted(self.measured.at_least),
            "ours to": {
                what: _ratios(figures) for what, figures in self.measured.figures.items() if "ours" in figures
            },
            "watched": self.measured.ways,
            "deliveries": self.measured.wrong,
            "goals": [asdict(verdict) for verdict in verdicts(self.measured)],
            "left out": self.measured.absent,
            "runs": self.measured.runs,
        }
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(facts, indent=2) + "\n")

    def _figures(self) -> Table:
        caption = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; in brackets: ours / theirs"
        table = Table("", *(each.name for each in self.contenders), box=box.SIMPLE_HEAD, caption=caption)
        for column in table.columns[1:]:
            column.justify = "right"
        for what, figures in self.measured.figures.items():
            table.add_row(what, *(self._cell(what, figures, each.name) for each in self.contenders))
        for what in ("lost", "doubled", "reordered", "deliveries"):
            counts = (self.measured.wrong.get(each.name, {}).get(what) for each in self.contenders)
            table.add_row(what, *("" if count is None else f"{count:,}" for count in counts))
        return table

    def _cell(self, what: str, figures: dict[str, float], name: str) -> str:
        if name not in figures:
            return ""
        sign = ">= " if (what, name) in self.measured.at_least else ""
        ratio = _ratios(figures).get(name)
        return f"{sign}{_short(figures[name])}" + ("" if ratio is None else f" ({_short(ratio)})")


def _ways(ways: Mapping[str, Mapping[str, float]]) -> Table:
    headings = list(dict.fromkeys(what for figures in ways.values() for what in figures))
    table = Table("one job, watched by", *headings, box=box.SIMPLE_HEAD)
    for column in table.columns[1:]:
        column.justify = "right"
    for way, figures in ways.items():
        table.add_row(way, *(_short(figures[what]) if what in figures else "" for what in headings))
    return table


def _goals(found: Sequence[Verdict]) -> Table:
    table = Table("goal", "wanted", "found", "", box=box.SIMPLE_HEAD)
    table.columns[2].justify = "right"
    for each in found:
        table.add_row(each.goal, each.wanted, _short(each.found), "reached" if each.reached else "fell short")
    return table


def _ratios(figures: dict[str, float]) -> dict[str, float]:
    """Ours, of each peer's."""
    ours = figures.get("ours")
    return {} if ours is None else {name: ours / its for name, its in figures.items() if name != "ours" and its}


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
