"""`python -m bench.delivery`: the quick rows; `--full` for all of them, `--only` and `--rows` for some."""

import argparse
import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.delivery.contenders import CONTENDERS, Contender, Place
from bench.delivery.report import Report
from bench.delivery.rows import Bench, Extent
from bench.delivery.stage import open_stage
from bench.engine.program import ROOT
from bench.environments import Absent

RESULTS = ROOT / "bench" / "results" / "delivery.json"
QUICK = Extent(seconds=1.5, steps=3, rounds=1, watch_seconds=6.0, chats=50)
FULL = Extent(seconds=3.0, steps=6, rounds=3, watch_seconds=30.0, chats=200)

Row = Callable[[Bench], Awaitable[None]]

ROWS: Mapping[str, Row] = {
    "idle-1000": lambda bench: bench.idle(1000),
    "idle-10000": lambda bench: bench.idle(10_000),
    "cpu": lambda bench: bench.cpu(1000),
    "fan-100": lambda bench: bench.fan(100),
    "fan": lambda bench: bench.fan(1000),
    "fan-5000": lambda bench: bench.fan(5000),
    "many": lambda bench: bench.many(1000),
    "many-5000": lambda bench: bench.many(5000),
    "cuts": lambda bench: bench.cuts(200),
    "log": lambda bench: bench.appended(1000),
    "users": lambda bench: bench.users(),
    "first": lambda bench: bench.first(),
}
QUICK_ROWS = ("idle-1000", "cpu", "fan", "many")


async def main(
    contenders: Sequence[Contender], absent: dict[str, str], rows: Sequence[str], extent: Extent, file: Path
) -> None:
    """Measure, tell, and keep the figures; what was measured until a Ctrl-C is told too."""
    began = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - began:4.0f} s  {words}", flush=True)

    async with open_stage() as stage:
        bench = Bench(stage, contenders, extent, say)
        bench.measured.absent.update(absent)
        report = Report(contenders, bench.measured)
        try:
            for row in rows:
                await ROWS[row](bench)
                report.keep(file)
        finally:
            report.show()


def present(names: Sequence[str]) -> tuple[list[Contender], dict[str, str]]:
    """The contenders that can be measured here, and why the others cannot."""
    found: list[Contender] = []
    absent: dict[str, str] = {}
    with TemporaryDirectory() as folder:
        nowhere = Place(0, "unix:///nowhere", Path(folder), Path(folder))
        for name in names:
            try:
                CONTENDERS[name].command(nowhere)
            except Absent as reason:
                absent[name] = str(reason)
            else:
                found.append(CONTENDERS[name])
    return found, absent


def _contenders(text: str) -> list[str]:
    return _known(CONTENDERS, text.split(","))


def _rows(text: str) -> list[str]:
    return _known(ROWS, text.split(","))


def _known(known: Mapping[str, object], names: Sequence[str]) -> list[str]:
    if not set(names) <= known.keys():
        raise argparse.ArgumentTypeError(f"there are {', '.join(known)}")
    return [name for name in known if name in names]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.delivery", description=__doc__)
    parser.add_argument("--full", action="store_true", help="every row, and longer")
    parser.add_argument("--only", type=_contenders, help="contenders, between commas")
    parser.add_argument("--rows", type=_rows, help="rows, between commas")
    parser.add_argument("--seconds", type=float, help="of each run")
    parser.add_argument("--steps", type=int, help="of each search, at most")
    parser.add_argument("--ahead", action="store_true", help="go before all else that runs on the machine")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the figures are kept")
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    usual = FULL if given.full else QUICK
    extent = replace(usual, seconds=given.seconds or usual.seconds, steps=given.steps or usual.steps)
    entrants, missing = present(given.only or list(CONTENDERS))
    wanted = given.rows or (list(ROWS) if given.full else QUICK_ROWS)
    if given.ahead:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    asyncio.run(main(entrants, missing, wanted, extent, given.json))
