"""What holds for every destination: the same rows and counts, however often a copy is broken off."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from jobs.copying import Counts
from jobs.errors import DoNotRetry, LeaseLost
from jobs.records.table import NoUniqueKey
from tests.copying.copyist import Copyist, a_copy, ndjson
from tests.copying.destinations import Destination, Mongodb, Postgresql
from workers.copying import Progress
from workers.records import PlainRecords
from workers.sink import Order, Overtaken, Written
from workers.sinks import open_sink


def things(first: int, last: int, word: str = "thing") -> list[dict[str, Any]]:
    return [{"id": at, "name": f"{word} {at}"} for at in range(first, last)]


async def test_a_second_copy_updates_what_the_first_inserted(
    copyist: Copyist, destination: Destination, lake: Path
) -> None:
    """Of a table that is made for it, and records that overlap."""
    (lake / "a.ndjson").write_bytes(ndjson(*things(0, 25)))
    (lake / "b.ndjson").write_bytes(ndjson(*things(20, 30, "other")))

    first = await copyist.copy("a.ndjson", batch_size=10)
    second = await copyist.copy("b.ndjson", name="second", batch_size=4)

    assert (first.inserted, first.updated, first.errors) == (25, 0, 0)
    assert (second.inserted, second.updated, second.errors) == (5, 5, 0)
    assert await destination.rows("things") == things(0, 20) + things(20, 30, "other")


@pytest.mark.parametrize("batch_size", [1, 3, 100])
async def test_of_records_with_one_key_the_last_wins(
    copyist: Copyist, destination: Destination, lake: Path, batch_size: int
) -> None:
    """In one batch or in several; the first of them is inserted, and the others update it."""
    columns = {"id": [1, 2, 1, 3, 2, 1], "name": ["a", "b", "c", "d", "e", None]}
    parquet.write_table(pa.table(columns), lake / "twins.parquet")

    counts = await copyist.copy("twins.parquet", batch_size=batch_size)

    assert (counts.inserted, counts.updated) == (3, 3)
    assert await destination.rows("things") == [
        {"id": 1, "name": None},
        {"id": 2, "name": "e"},
        {"id": 3, "name": "d"},
    ]


@pytest.mark.parametrize("destination", ["postgresql"], indirect=True)
async def test_of_records_with_one_key_those_that_are_good_are_kept(
    copyist: Copyist, destination: Destination, lake: Path
) -> None:
    """As if they came one by one: the bad one alone is set aside."""
    await destination.make("things", unique=["id"])
    twins = [{"id": 1, "name": "good"}, {"id": 1, "name": "nul \0"}, {"id": 2, "name": "other"}]
    (lake / "a.ndjson").write_bytes(ndjson(*twins))

    counts = await copyist.copy("a.ndjson")

    assert (counts.inserted, counts.updated, counts.errors) == (2, 0, 1)
    assert [each["line"] for each in await copyist.set_aside()] == [2]
    assert await destination.rows("things") == [twins[0], twins[2]]


async def test_what_a_record_lacks_stays_as_it_was(copyist: Copyist, destination: Destination, lake: Path) -> None:
    """Of NDJSON, where each record has fields of its own, in one batch as in several."""
    await destination.make("things", unique=["id"])
    (lake / "a.ndjson").write_bytes(ndjson({"id": 1, "name": "kept"}, {"id": 2, "name": "lost"}))
    (lake / "b.ndjson").write_bytes(ndjson({"id": 1}, {"id": 2, "name": None}, {"name": "new", "id": 3}, {"id": 3}))
    await copyist.copy("a.ndjson")

    counts = await copyist.copy("b.ndjson", name="second")

    assert (counts.inserted, counts.updated) == (1, 3)
    names = [row["name"] for row in await destination.rows("things")]
    assert names == ["kept", None, "new"]


@pytest.mark.parametrize("broken_off", range(1, 6))
async def test_a_copy_that_is_broken_off_goes_on_after_its_last_batch(
    copyist: Copyist, destination: Destination, lake: Path, broken_off: int
) -> None:
    """No record is lost, none is counted twice, and what is done is not done again."""
    (lake / "a.ndjson").write_bytes(ndjson(*things(0, 12), "no record"))
    (lake / "b.ndjson").write_bytes(ndjson({"id": None}, *things(10, 20)))
    with pytest.raises(LeaseLost):
        await copyist.copy(".", batch_size=5, stop_after=broken_off)
    before = copyist.told[-1]

    counts = await copyist.copy(".", batch_size=5)

    assert (counts.inserted, counts.updated, counts.errors) == (20, 2, 2)
    assert all(told.processed > before.processed for told in copyist.told)
    assert await destination.rows("things") == things(0, 20)
    assert [each["line"] for each in await copyist.set_aside()] == [13, 1]


async def test_a_copy_that_is_cancelled_ends_with_the_batch_under_way(
    copyist: Copyist, destination: Destination, lake: Path
) -> None:
    """Which is there, was told of, and is the last."""
    (lake / "a.ndjson").write_bytes(ndjson(*things(0, 20)))
    told: list[Counts] = []
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def tell(counts: Counts) -> None:
        reached.set()
        await go_on.wait()
        told.append(counts)

    copying = asyncio.create_task(copyist.copying.copy(a_copy("a.ndjson", batch_size=5), "copy", tell))
    await reached.wait()
    copying.cancel()
    await asyncio.sleep(0)
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await copying
    assert [counts.processed for counts in told] == [5]
    assert await destination.rows("things") == things(0, 5)


async def test_of_two_workers_with_one_copy_the_later_alone_writes(
    copyist: Copyist, destination: Destination, lake: Path
) -> None:
    """The earlier one's next batch is undone: it is neither there nor counted."""
    await destination.make("things", unique=["id"])
    connection = copyist.connections["warehouse"]
    records = PlainRecords(things(0, 1, "late"), [1], ragged=True)

    async def remember(_written: Written) -> str:
        return Progress().encoded()

    order = Order(a_copy("things.ndjson"), "copy", "earlier")
    async with open_sink(connection, order) as earlier:
        await earlier.take()
        (lake / "things.ndjson").write_bytes(ndjson(*things(0, 3)))
        counts = await copyist.copy("things.ndjson")
        with pytest.raises(Overtaken):
            await earlier.write(records, remember)

    again = await copyist.copy("things.ndjson")
    assert counts.inserted == 3
    assert again == counts
    assert await destination.rows("things") == things(0, 3)


async def test_a_record_without_a_key_is_set_aside(copyist: Copyist, destination: Destination, lake: Path) -> None:
    """With its line and why; the others go on."""
    (lake / "a.ndjson").write_bytes(ndjson({"id": 1}, {"name": "nobody"}, {"id": None}, {"id": [1]}, {"id": 2}))

    counts = await copyist.copy("a.ndjson")

    assert (counts.inserted, counts.errors) == (2, 3)
    assert [row["id"] for row in await destination.rows("things")] == [1, 2]
    assert [(each["line"], each["record"]) for each in await copyist.set_aside()] == [
        (2, {"name": "nobody"}),
        (3, {"id": None}),
        (4, {"id": [1]}),
    ]


async def test_more_errors_than_allowed_end_the_copy(copyist: Copyist, destination: Destination, lake: Path) -> None:
    """After the batch in which they came, and at once when it is tried again; what was good stays."""
    bad = [f"bad {at}" for at in range(3)]
    (lake / "a.ndjson").write_bytes(ndjson(*things(0, 2), *bad, *things(2, 9)))

    with pytest.raises(DoNotRetry, match="3 records were set aside"):
        await copyist.copy("a.ndjson", batch_size=6, max_errors=2)
    with pytest.raises(DoNotRetry, match="3 records were set aside"):
        await copyist.copy("a.ndjson", batch_size=6, max_errors=2)

    assert copyist.told == []
    assert await destination.rows("things") == things(0, 3)
    assert (await copyist.copy("a.ndjson", name="another", batch_size=6, max_errors=3)).errors == 3


async def test_a_dry_run_counts_and_writes_nothing(copyist: Copyist, destination: Destination, lake: Path) -> None:
    """Neither into a table that is there, nor a table that is not."""
    (lake / "a.ndjson").write_bytes(ndjson(*things(0, 4), "bad"))

    nothing_there = await copyist.copy("a.ndjson", dry_run=True)
    assert await destination.rows("things") == []
    await destination.make("things", unique=["id"])
    await copyist.copy("a.ndjson")
    (lake / "a.ndjson").write_bytes(ndjson(*things(2, 6, "other")))
    something_there = await copyist.copy("a.ndjson", name="second", dry_run=True)

    assert (nothing_there.inserted, nothing_there.updated, nothing_there.errors) == (4, 0, 1)
    assert (something_there.inserted, something_there.updated) == (2, 2)
    assert await destination.rows("things") == things(0, 4)


async def test_a_table_without_a_unique_key_takes_no_copy(
    copyist: Copyist, destination: Destination, lake: Path
) -> None:
    """Nor one whose unique index has another column more."""
    (lake / "a.ndjson").write_bytes(ndjson(*things(0, 1)))
    await destination.make("bare")
    await destination.make("wide", unique=["id", "name"])

    for table in ("bare", "wide"):
        with pytest.raises(NoUniqueKey):
            await copyist.copy("a.ndjson", table=table)


async def test_any_name_may_be_a_table_s_or_a_column_s(
    copyist: Copyist, destination: Destination, lake: Path
) -> None:
    """Quotes and words of SQL do nothing but name."""
    name = 'select "x"; --'
    record = {"id": 1, "order": 2, 'a"b': 3, "ünï %s $1 ?": 4}
    (lake / "a.ndjson").write_bytes(ndjson(record))

    counts = await copyist.copy("a.ndjson", table=name, key=["id", 'a"b'])

    assert counts.inserted == 1
    assert await destination.rows(name) == [record]


@pytest.mark.parametrize("destination", ["postgresql"], indirect=True)
@pytest.mark.parametrize(("table", "column"), [("things", "ü" * 32), ("t" * 64, "name")])
async def test_a_name_that_postgresql_would_cut_off_ends_the_copy(
    copyist: Copyist, lake: Path, table: str, column: str
) -> None:
    """Else nobody would find the table or its column again."""
    (lake / "a.ndjson").write_bytes(ndjson({"id": 1, column: "x"}))

    with pytest.raises(DoNotRetry, match="63 bytes"):
        await copyist.copy("a.ndjson", table=table)


@pytest.mark.parametrize("destination", ["mongodb", "mongodb-alone"], indirect=True)
async def test_a_name_that_is_no_collection_s_ends_the_copy(copyist: Copyist, lake: Path) -> None:
    (lake / "a.ndjson").write_bytes(ndjson({"id": 1}))

    with pytest.raises(DoNotRetry, match="of this name"):
        await copyist.copy("a.ndjson", table="a$b")


async def test_all_types_of_parquet_arrive(copyist: Copyist, destination: Destination, lake: Path) -> None:
    """Also those that have no equal there; nothing is what it was, nor more."""
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.uint16()),
            "small": pa.array([1.5, None], pa.float16()),
            "big": pa.array([2**63 - 1, None], pa.int64()),
            "text": pa.array(['it\'s "quoted",\n', ""]).dictionary_encode(),
            "bytes": pa.array([b"\x00\xff", None]),
            "day": pa.array([20000, None], pa.date32()),
            "moment": pa.array([1_700_000_000_000_000_000, None], pa.timestamp("ns", "UTC")),
            "local": pa.array([1_700_000_000_000, None], pa.timestamp("ms")),
            "clock": pa.array([3_600_000_000_000, None], pa.time64("ns")),
            "price": pa.array(["12.34", None]).cast(pa.decimal128(10, 2)),
            "list": pa.array([[1, 2], None]),
            "thing": pa.array([{"a": "b"}, None]),
            "yes": pa.array([True, None]),
            "none": pa.nulls(2),
        }
    )
    parquet.write_table(table, lake / "types.parquet")

    counts = await copyist.copy("types.parquet")
    again = await copyist.copy("types.parquet", name="again")

    rows = await destination.rows("things")
    assert (counts.inserted, again.updated, await copyist.set_aside()) == (2, 2, [])
    assert (rows[0]["big"], rows[0]["small"], rows[0]["text"]) == (2**63 - 1, 1.5, 'it\'s "quoted",\n')
    assert bytes(rows[0]["bytes"]) == b"\x00\xff"
    assert rows[1]["text"] == ""
    assert {value for name, value in rows[1].items() if name not in {"id", "text"}} == {None}


async def test_a_record_that_a_type_refuses_is_set_aside(
    copyist: Copyist, destination: Destination, lake: Path
) -> None:
    """Wherever it stands, and however many they are; MongoDB, which has no types, takes them."""
    await destination.make("things", unique=["id"])
    names: list[Any] = ["fine", "also fine", "fine too"]
    good = [{"id": at, "name": name} for at, name in enumerate(names)]
    bad = [{"id": 2**65, "name": "huge"}, {"id": 7, "name": "nul \0", "more": 1}]
    (lake / "a.ndjson").write_bytes(b"".join(map(_line, [good[0], bad[0], good[1], good[2], bad[1]])))

    counts = await copyist.copy("a.ndjson")

    reasons = {each["line"]: each["reason"] for each in await copyist.set_aside()}
    if isinstance(destination, Mongodb):
        assert [*reasons] == [2]
    else:
        assert [*reasons] == [2, 5]
        assert "no column more" in reasons[5]
    assert counts.errors == len(reasons)
    assert [row for row in await destination.rows("things") if "more" not in row] == good


async def test_what_few_can_spell_is_no_end_of_a_copy(copyist: Copyist, destination: Destination, lake: Path) -> None:
    """Fine times in lists and structs, identifiers, days after the year 9999, the longest numbers."""
    moment = pa.timestamp("ns")
    table = pa.table(
        {
            "id": pa.array([1, 2]),
            "times": pa.array([[1_000_000_001], None], pa.list_(moment)),
            "thing": pa.array(
                [{"at": 1_000_000_001, "for": 1}, None], pa.struct({"at": moment, "for": pa.duration("s")})
            ),
            "prices": pa.array([[Decimal("1.5")], None], pa.list_(pa.decimal128(5, 2))),
            "uuid": pa.array([b"0123456789abcdef", None], pa.uuid()),
            "day": pa.array([20_000 if isinstance(destination, Postgresql) else 10_000_000, None], pa.date32()),
            "count": pa.array([2**64 - 1, None], pa.uint64()),
            "sum": pa.array([None, Decimal("1" * 38)], pa.decimal128(38, 0)),
        }
    )
    parquet.write_table(table, lake / "rare.parquet")

    counts = await copyist.copy("rare.parquet")

    rows = await destination.rows("things")
    refused = {1, 2} if isinstance(destination, Mongodb) else set()  # 64 bits, and 34 digits, are its most
    assert {each["record"]["id"] for each in await copyist.set_aside()} == refused
    assert (counts.inserted, counts.errors) == (2 - len(refused), len(refused))
    if not refused:
        assert (int(rows[0]["count"]), int(rows[1]["sum"])) == (2**64 - 1, int("1" * 38))
        assert rows[0]["uuid"] == "30313233-3435-3637-3839-616263646566"


def _line(record: Any) -> bytes:
    return json.dumps(record).encode() + b"\n"
