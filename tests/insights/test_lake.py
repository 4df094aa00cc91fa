"""Measurements out of the connection `measurements`, whichever format they lie there in."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from jobs.errors import DoNotRetry
from jobs.measurements.rows import moment_of
from jobs.records.connections import Connection
from workers.lake import Lake

Row = Mapping[str, object]


def write_ndjson(path: Path, rows: Sequence[Row]) -> None:
    path.with_suffix(".ndjson").write_text("\n".join(map(json.dumps, rows)))


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    with path.with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_parquet(path: Path, rows: Sequence[Row]) -> None:
    parquet.write_table(pa.Table.from_pylist([*rows]), path.with_suffix(".parquet"))


WRITERS = [write_ndjson, write_csv, write_parquet]
ROWS = [{"timestamp": f"2026-03-{day:02}T00:00:00Z", "volts": day + 0.5, "cells": 8} for day in range(1, 11)]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake in an empty folder."""
    return Lake({"measurements": Connection("measurements", "file", f"file://{tmp_path}")})


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("place", ["battery-1", "battery-1/2026/march"])
async def test_a_system_is_found_by_its_file_or_its_folder(
    lake: Lake, tmp_path: Path, write: Callable[[Path, Sequence[Row]], None], place: str
) -> None:
    """Each number of a record is a value of its metric; another system's are not there."""
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    write(tmp_path / place, ROWS)
    write(tmp_path / "battery-2", ROWS[:1])

    found = await lake.measurements("battery-1", days=90)

    assert {name: len(series) for name, series in found.series.items()} == {"cells": 10, "volts": 10}
    assert list(found.series["volts"].values)[:2] == [1.5, 2.5]


@pytest.mark.parametrize("write", WRITERS)
async def test_only_the_newest_days_are_read(
    lake: Lake, tmp_path: Path, write: Callable[[Path, Sequence[Row]], None]
) -> None:
    """Counted back from the newest record of all files."""
    (tmp_path / "battery-1").mkdir()
    write(tmp_path / "battery-1" / "b", ROWS[:5])
    write(tmp_path / "battery-1" / "a", ROWS[5:])

    found = await lake.measurements("battery-1", days=3)

    assert list(found.series["volts"].values) == [7.5, 8.5, 9.5, 10.5]


async def test_a_record_of_a_stopped_clock_is_not_of_the_newest_days(lake: Lake, tmp_path: Path) -> None:
    """1970 is as good a time as any; one that does not say when it was measured is left out, and counted."""
    write_ndjson(tmp_path / "battery-1", [*ROWS, {"timestamp": 0, "volts": -1}, {"timestamp": None, "volts": -1}])

    found = await lake.measurements("battery-1", days=90)

    assert (found.start, found.left_out) == (moment_of(ROWS[0]["timestamp"]), 1)
    assert min(found.series["volts"].values) == 1.5


@pytest.mark.parametrize("system", ["battery-9", "..", ".", "a:b"])
async def test_a_system_that_is_not_there_is_not_tried_again(lake: Lake, tmp_path: Path, system: str) -> None:
    """Nor is one whose name would lead elsewhere."""
    write_ndjson(tmp_path / "battery-1", ROWS)

    with pytest.raises(DoNotRetry, match="holds nothing of this system"):
        await lake.measurements(system, days=90)


async def test_without_the_connection_there_is_nothing_to_read() -> None:
    """And the sentence says what is missing."""
    with pytest.raises(DoNotRetry, match="no connection `measurements`"):
        await Lake({}).measurements("battery-1", days=90)
