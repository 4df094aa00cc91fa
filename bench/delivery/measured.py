"""What was measured of each contender, and what went wrong on the way."""

from dataclasses import asdict, dataclass, field
from typing import Any

from bench.delivery.contenders import Contender
from bench.delivery.outcome import Outcome


@dataclass
class Measured:
    """The figures of each contender, by what they are; and how often anything was wrong with its deliveries."""

    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    wrong: dict[str, dict[str, int]] = field(default_factory=dict)
    at_least: set[tuple[str, str]] = field(default_factory=set)
    """Figures that were bound by something other than the server."""
    absent: dict[str, str] = field(default_factory=dict)
    runs: list[dict[str, Any]] = field(default_factory=list)
    ways: dict[str, dict[str, float]] = field(default_factory=dict)
    """Of the ways in which one of our jobs is watched."""

    def set(self, contender: Contender, what: str, figure: float) -> None:
        """Note a figure."""
        self.figures.setdefault(what, {})[contender.name] = figure

    def set_highest(self, contender: Contender, what: str, figure: float) -> None:
        """Note a figure if it is higher than before."""
        self.set(contender, what, max(figure, self.figures.get(what, {}).get(contender.name, 0.0)))

    def count(self, contender: Contender, row: str, outcome: Outcome) -> None:
        """Note a run, and what went wrong in it."""
        self.runs.append({"row": row, "contender": contender.name, **asdict(outcome)})
        wrong = self.wrong.setdefault(contender.name, {"deliveries": 0, "lost": 0, "doubled": 0, "reordered": 0})
        wrong["deliveries"] += outcome.received
        wrong["lost"] += outcome.lost
        wrong["doubled"] += outcome.doubled
        wrong["reordered"] += outcome.reordered
