"""The product's own worker, killed again and again in the middle of a copy into PostgreSQL, which is restarted too.

JOBSTREAM_COPY_ROWS, _BATCH, _KILLS and _RESTARTS make it longer."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from jobs.model import JsonObject
from tests.api import Api
from tests.copying.destinations import Postgresql
from tests.jobs.patience import until
from tests.system import SECRET, Process, System, running_system

ROWS = int(os.environ.get("JOBSTREAM_COPY_ROWS", "20000"))
BATCH = int(os.environ.get("JOBSTREAM_COPY_BATCH", "100"))
KILLS = int(os.environ.get("JOBSTREAM_COPY_KILLS", "3"))
RESTARTS = int(os.environ.get("JOBSTREAM_COPY_RESTARTS", "1"))
SEED = int(os.environ.get("JOBSTREAM_CHAOS_SEED", "1"))
PATIENCE_SECONDS = 120 + ROWS / 1000
ROW_GROUP = 100_000
ENDED = ("completed", "failed", "cancelled")


def id_of(at: int) -> int:
    """Every hundredth record is one that there was before, once more."""
    return at - 50 if at % 100 == 0 and at else at


def is_bad(at: int) -> bool:
    return at % 10_007 == 10_006


def name_of(at: int) -> str:
    return f"nul \0 {at}" if is_bad(at) else f"name {at}"


def expected() -> Iterator[tuple[int, str]]:
    """What the table holds in the end."""
    for key in range(ROWS):
        candidates = [at for at in (key + 50, key) if at < ROWS and id_of(at) == key and not is_bad(at)]
        if candidates:
            yield key, name_of(candidates[0])


@dataclass
class Strike:
    """What happens when so many records are done."""

    after: int
    restart: bool


def strikes() -> list[Strike]:
    chance = random.Random(SEED)
    kinds = [True] * RESTARTS + [False] * KILLS
    chance.shuffle(kinds)
    apart = ROWS // (len(kinds) + 1)
    return [
        Strike(apart * number + chance.randrange(apart // 2), restart)
        for number, restart in enumerate(kinds, start=1)
    ]


def write_lake(folder: Path) -> None:
    """Three files, a row group at a time."""
    third = ROWS // 3
    for number, last in enumerate([third, 2 * third, ROWS]):
        schema = pa.schema({"id": pa.int64(), "name": pa.string(), "amount": pa.float64()})
        with parquet.ParquetWriter(folder / f"part-{number}.parquet", schema) as writer:
            for begin in range(number * third, last, ROW_GROUP):
                places = range(begin, min(begin + ROW_GROUP, last))
                writer.write_table(
                    pa.table(
                        [[*map(id_of, places)], [*map(name_of, places)], [at * 1.5 for at in places]], schema=schema
                    )
                )


@pytest.fixture
async def product(tmp_path: Path, lake: Path, postgresql: Postgresql) -> AsyncIterator[System]:
    settings = {
        "JOBSTREAM_LEASE": "1.5",
        "JOBSTREAM_CONNECTION_LAKE": f"file://{lake}",
        "JOBSTREAM_CONNECTION_WAREHOUSE": postgresql.url,
    }
    (tmp_path / "product").mkdir()
    with running_system(tmp_path / "product", settings=settings) as product:
        yield product


async def test_a_copy_survives_every_kill(
    product: System, lake: Path, postgresql: Postgresql, say: Callable[[str], None]
) -> None:
    """The rows are those of a copy that nothing befell, and so are the counts; the worker's memory stays small."""
    write_lake(lake)
    peaks = []
    async with Api(product.url, SECRET) as api:
        job_id = await submitted(api)
        for strike in strikes():
            await until(lambda: has_done(api, job_id, strike.after), seconds=PATIENCE_SECONDS)  # noqa: B023  # awaited
            if strike.restart:
                await asyncio.to_thread(postgresql.server.stop_at_once)
                await asyncio.to_thread(postgresql.server.start)
            else:
                peaks.append(peak_mib(product.worker))
                product.worker.end(signal.SIGKILL)
                product.worker.start()
        await until(lambda: has_ended(api, job_id), seconds=PATIENCE_SECONDS)
        peaks.append(peak_mib(product.worker))
        job = await api.poll(job_id)

    bad = sum(map(is_bad, range(ROWS)))
    kept = len([*expected()])
    say(f"{ROWS} rows, {KILLS} kills, {RESTARTS} restarts: {job['elapsed']:.0f} s, worker at most {max(peaks)} MiB")
    assert job["state"] == "completed", job["error"]
    assert job["result"] == {
        "total": ROWS,
        "processed": ROWS,
        "inserted": kept,
        "updated": ROWS - bad - kept,
        "errors": bad,
    }
    assert await first_difference(postgresql) is None


async def submitted(api: Api) -> str:
    given = {
        "source": {"connection": "lake", "path": "part-*.parquet"},
        "destination": {"connection": "warehouse", "table": "things"},
        "key": ["id"],
        "batch_size": BATCH,
    }
    answer = await api.http.post("/v1/jobs", json={"kind": "copy-records", "input": given})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def has_done(api: Api, job_id: str, records: int) -> bool:
    job = await api.poll(job_id)
    return bool(job["state"] in ENDED or processed(job) >= records)


async def has_ended(api: Api, job_id: str) -> bool:
    return (await api.poll(job_id))["state"] in ENDED


def processed(job: JsonObject) -> int:
    return int(job["progress"].get("processed", 0))


def peak_mib(process: Process) -> int:
    """The most memory that the process had so far."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (peak,) = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(peak) // 1024


async def first_difference(postgresql: Postgresql) -> tuple[object, object] | None:
    """Where the table is not as expected, reading both side by side."""
    session = await postgresql.server.connect(postgresql.database)
    async with session.transaction():
        rows = session.cursor("SELECT id, name FROM things ORDER BY id", prefetch=5000)
        wanted: Iterator[object] = chain(expected(), iter(lambda: None, 0))
        async for row in rows:
            if tuple(row) != (want := next(wanted)):
                return tuple(row), want
    await session.close()
    left = next(wanted)
    return None if left is None else (None, left)
