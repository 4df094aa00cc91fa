"""What is wanted of us, as ARCHITECTURE.md has it, and whether it was reached."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.delivery.measured import Measured

STREAM_KIB = "10000 idle: KiB per stream"
OPENED = "10000 idle: opened/s"
IDLE = "10000 idle: % of a core"
CPU = "CPU us per delivery"
MANY = "many, 5000: deliveries/s"
FAN = "fan to 1000: deliveries/s"
HALF_P50 = "many, 5000: p50 ms at half"
HALF_P99 = "many, 5000: p99 ms at half"
FIRST = "submit to first update: p50 ms"

SMALLER = {STREAM_KIB: "1000 idle: KiB per stream", OPENED: "1000 idle: opened/s"} | {
    each: each.replace("5000", "1000") for each in (MANY, HALF_P50, HALF_P99)
}
"""What stands for a figure that was not measured."""


@dataclass(frozen=True)
class Goal:
    """A bound on a figure of ours, or on its ratio to the same of a peer."""

    figure: str
    bound: float
    peer: str | None = None
    at_least: bool = False


GOALS: Sequence[Goal] = (
    Goal(STREAM_KIB, 4.0),
    Goal(STREAM_KIB, 1 / 2.5, "nchan"),
    Goal(STREAM_KIB, 1 / 2.5, "node"),
    Goal(STREAM_KIB, 1 / 12, "shared"),
    Goal(STREAM_KIB, 1 / 15, "tutorial"),
    Goal(CPU, 0.65, "nchan"),
    Goal(CPU, 0.75, "node"),
    Goal(CPU, 2.2, "c"),
    Goal(MANY, 1.2, "nchan", at_least=True),
    Goal(MANY, 0.9, "node", at_least=True),
    Goal(MANY, 3.0, "shared", at_least=True),
    Goal(MANY, 5.0, "tutorial", at_least=True),
    Goal(FAN, 7.0, "nchan", at_least=True),
    Goal(FAN, 1.8, "node", at_least=True),
    Goal(FAN, 30.0, "shared", at_least=True),
    Goal(IDLE, 1.0),
    Goal(HALF_P50, 0.5),
    Goal(HALF_P99, 10.0),
    Goal(OPENED, 3.5, "shared", at_least=True),
    Goal(FIRST, 5.0),
)


@dataclass(frozen=True)
class Verdict:
    """How a goal was met."""

    goal: str
    wanted: str
    found: float
    reached: bool


def verdicts(measured: Measured) -> list[Verdict]:
    """Those of the goals of which everything was measured, and that nothing went wrong."""
    found = [verdict for goal in GOALS if (verdict := _verdict(goal, measured))]
    if ours := measured.wrong.get("ours"):
        wrong = ours["lost"] + ours["doubled"] + ours["reordered"]
        found.append(Verdict("ours: lost, doubled, reordered", "= 0", wrong, wrong == 0))
    return found


def _verdict(goal: Goal, measured: Measured) -> Verdict | None:
    for name in (goal.figure, SMALLER.get(goal.figure, goal.figure)):
        figures = measured.figures.get(name, {})
        ours, peers = figures.get("ours"), figures.get(goal.peer or "")
        if ours is not None and (peers or not goal.peer):
            return _met(goal, name, ours / peers if peers else ours)
    return None


def _met(goal: Goal, name: str, found: float) -> Verdict:
    label = f"{name}, ours / {goal.peer}" if goal.peer else f"{name}, ours"
    reached = found >= goal.bound if goal.at_least else found <= goal.bound
    return Verdict(label, f"{'>=' if goal.at_least else '<='} {goal.bound:.3g}", found, reached)
