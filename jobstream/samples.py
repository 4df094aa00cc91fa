"""Something to copy on a first visit: a made-up file of customers, and the connections from it to a table."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

CUSTOMERS = 100_000
WITHOUT_ID_EVERY = 9_001
"""Some records that no table can take, so that one sees what becomes of them."""

SEED = 7
_TOWNS = ("Lisbon", "Graz", "Turku", "Cork", "Lyon", "Gdynia", "Basel", "Ghent")
_PLANS = ("free", "team", "business")


def connections(folder: Path) -> dict[str, str]:
    """The settings for a lake with the sample in it, and for a table that it can be copied into."""
    lake = folder.resolve() / "lake"
    return {
        "JOBSTREAM_CONNECTION_LAKE": f"file://{lake}",
        "JOBSTREAM_CONNECTION_DESK": f"sqlite://{folder.resolve() / 'desk.sqlite'}",
    }


def write_lake(folder: Path) -> None:
    """Put the sample into the lake of the folder, unless something lies there."""
    lake = folder / "lake"
    if lake.exists():
        return
    lake.mkdir(mode=0o700, parents=True)
    with (lake / "customers.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "name", "town", "plan", "since", "spent"))
        writer.writerows(_customers())


def _customers() -> Iterator[tuple[object, ...]]:
    chance = random.Random(SEED)  # noqa: S311  # made up, and the same each time
    for number in range(1, CUSTOMERS + 1):
        since = f"20{chance.randint(18, 25)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        known = "" if number % WITHOUT_ID_EVERY == 0 else number
        yield (
            known,
            f"Customer {number}",
            chance.choice(_TOWNS),
            chance.choice(_PLANS),
            since,
            chance.randint(0, 99_999) / 100,
        )
