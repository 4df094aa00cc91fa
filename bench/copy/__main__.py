"""`python -m bench.copy`: from Parquet into PostgreSQL and SQLite, ours beside what a user would write; `--full` for
more records. PostgreSQL is Debian's; without it, SQLite alone is measured."""

import argparse
import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.copy import records
from bench.copy.places import Place, open_places
from bench.copy.report import Figure, show
from bench.engine.program import ROOT, Failed, told
from bench.environments import Absent, python_of
from jobs.embedded import open_embedded

WAYS = {
    "postgresql": ("ceiling", "to_sql", "executemany", "row by row"),
    "sqlite": ("to_sql", "executemany", "row by row"),
}
BATCHES = (1_000, 10_000)


@dataclass(frozen=True)
class Extent:
    """How many records are copied, how often, and how many by who copies one by one."""

    rounds: int
    rows: int
    slow_rows: int


QUICK = Extent(rounds=1, rows=200_000, slow_rows=20_000)
FULL = Extent(rounds=3, rows=2_000_000, slow_rows=100_000)


async def main(extent: Extent) -> None:
    """Measure, tell, and keep the figures."""
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="jobstream-") as name:
        folder = Path(name)
        files = _written(folder, extent)
        with open_places(folder) as places:
            async with open_embedded(folder / "store") as store:
                for _ in range(extent.rounds):
                    for place in places:
                        figures += await _ours(place, extent.rows, files[extent.rows], store.url)
                        figures += await _theirs(place, extent, files)
    show(figures)
    results = ROOT / "bench" / "results" / "copy.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps([vars(figure) for figure in figures], indent=2) + "\n")


def _written(folder: Path, extent: Extent) -> dict[int, Path]:
    """The files by how many records they have, where also the user who runs PostgreSQL may go."""
    folder.chmod(0o755)
    files = {rows: folder / f"{rows}.parquet" for rows in (extent.rows, extent.slow_rows)}
    for rows, file in files.items():
        records.write(file, rows)
    return files


async def _ours(place: Place, rows: int, file: Path, store: str) -> list[Figure]:
    found = []
    for batch in BATCHES:
        await place.empty()
        answer = await told("bench.copy.product", str(batch), place.url, str(file), store)
        found.append(Figure.of(f"ours, batches of {batch:,}", place.scheme, rows, answer))
    return found


async def _theirs(place: Place, extent: Extent, files: dict[int, Path]) -> list[Figure]:
    found = []
    for way in WAYS[place.scheme]:
        rows = extent.slow_rows if way == "row by row" else extent.rows
        await place.empty()
        try:
            python = await asyncio.to_thread(python_of, "pandas", locks=Path(__file__).parent)
            answer = await told("bench.copy.ways", way, place.scheme, place.url, str(files[rows]), python=python)
            found.append(Figure.of(way, place.scheme, rows, answer))
        except (Absent, Failed, TimeoutError) as reason:
            print(f"{way} into {place.scheme} was left out: {reason or 'it took too long'}")
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    asyncio.run(main(FULL if parser.parse_args().full else QUICK))
