"""What holds for every source: the same records in the same order, from wherever a copy goes on."""

import gzip
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
import s3fs
from pyarrow import parquet

from jobs.copying import Format, Source
from jobs.errors import DoNotRetry, OutsideRoot
from jobs.records.connections import Connection, read_connections
from tests.copying.copyist import ndjson
from workers.source import MOST_BYTES, Batch, Place
from workers.sources import Reading, read
from workers.sources.csv import MOST_FIELD_BYTES

RECORDS = [{"id": str(at), "name": f'it\'s "{at}", a name\nof two lines — ünï'} for at in range(7)]


def as_parquet(records: Sequence[dict[str, Any]]) -> bytes:
    held = BytesIO()
    parquet.write_table(pa.Table.from_pylist(records), held, row_group_size=3)
    return held.getvalue()


def as_csv(records: Sequence[dict[str, Any]]) -> bytes:
    cells = [[*records[0]], *([*record.values()] for record in records)]
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in cells).encode()


FORMS: dict[str, Callable[[Sequence[dict[str, Any]]], bytes]] = {
    "parquet": as_parquet,
    "ndjson": lambda records: ndjson(*records),
    "csv": as_csv,
    "ndjson.gz": lambda records: gzip.compress(ndjson(*records)),
    "csv.gz": lambda records: gzip.compress(as_csv(records)),
}

Put = Callable[[str, bytes], None]


@pytest.fixture(params=["file", "s3"])
def connection(request: pytest.FixtureRequest, lake: Path) -> Connection:
    """An empty folder of this machine, and one of a bucket."""
    url = f"file://{lake}" if request.param == "file" else f"{request.getfixturevalue('s3_url')}/{uuid4().hex}"
    return read_connections({"JOBSTREAM_CONNECTION_LAKE": url})["lake"]


@pytest.fixture
def put(connection: Connection, lake: Path) -> Put:
    """Puts a file into it."""

    def put_there(name: str, content: bytes) -> None:
        if connection.scheme == "s3":
            s3fs.S3FileSystem(skip_instance_cache=True).pipe_file(f"{connection.url[5:]}/{name}", content)
        else:
            (lake / name).parent.mkdir(parents=True, exist_ok=True)
            (lake / name).write_bytes(content)

    return put_there


def batches(
    connection: Connection, path: str, *, after: Place | None = None, most: int = 2, given: Format | None = None
) -> list[Batch]:
    source = Source(connection="lake", path=path, format=given)
    return [*Reading(connection, source).batches(after or Place(), most=most)]


def records(found: Sequence[Batch]) -> list[dict[str, Any]]:
    return [
        dict(zip(batch.piece.records.names, row, strict=True))
        for batch in found
        for row in batch.piece.records.rows()
    ]


@pytest.mark.parametrize("form", FORMS)
def test_reading_goes_on_from_every_place(connection: Connection, put: Put, form: str) -> None:
    """What follows a place is what follows it in a reading of all; a name says what the file is."""
    put(f"first.{form}", FORMS[form](RECORDS[:4]))
    put(f"second.{form}", FORMS[form](RECORDS[4:]))

    whole = batches(connection, ".")

    assert records(whole) == RECORDS
    assert max(len(batch.piece.records) for batch in whole) == 2
    for at, batch in enumerate(whole):
        assert records(batches(connection, ".", after=batch.place)) == records(whole[at + 1 :])


@pytest.mark.parametrize("form", ["parquet", "ndjson.gz", "csv"])
def test_one_may_read_some_columns_alone(connection: Connection, put: Put, form: str) -> None:
    """Whatever the format; a column that there is not is missing."""
    put(f"some/things.{form}", FORMS[form](RECORDS))

    found = [row for batch in read(connection, "some", most=100, columns=["name", "none"]) for row in batch.rows()]

    assert found == [(record["name"],) for record in RECORDS]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (".", ["a.csv", "b/c.csv", "b/d/e.csv", "b/f.ndjson"]),
        ("b", ["b/c.csv", "b/d/e.csv", "b/f.ndjson"]),
        ("b/", ["b/c.csv", "b/d/e.csv", "b/f.ndjson"]),
        ("b/*.csv", ["b/c.csv"]),
        ("**/[c-e].csv", ["b/c.csv", "b/d/e.csv"]),
        ("b/?/e.csv", ["b/d/e.csv"]),
        ("_hidden.csv", ["_hidden.csv"]),
    ],
)
def test_a_path_is_a_file_a_folder_or_a_pattern(
    connection: Connection, put: Put, path: str, names: list[str]
) -> None:
    """In the order of names; what is no data, and what is hidden, counts only by its own name."""
    for name in ("b/f.ndjson", "b/d/e.csv", "a.csv", "b/c.csv", "_hidden.csv", "b/.part.csv", "b/notes.txt", "bb/x"):
        put(name, ndjson({"id": 1}) if name.endswith("ndjson") else b"id\n1\n")

    assert [batch.place.file for batch in batches(connection, path)] == names


@pytest.mark.parametrize(
    "path", ["../secret.csv", "/etc/passwd", "a/../../secret.csv", "s3://other/x", "a\0b", "a\\b"]
)
def test_no_path_leads_out_of_the_root(connection: Connection, path: str) -> None:
    with pytest.raises(OutsideRoot):
        batches(connection, path)


def test_no_link_leads_out_of_the_root(lake: Path) -> None:
    """Neither a file's, nor a folder's, nor one that a pattern finds; one that stays inside is followed."""
    connection = read_connections({"JOBSTREAM_CONNECTION_LAKE": f"file://{lake}"})["lake"]
    (lake.parent / "secret").mkdir()
    (lake.parent / "secret" / "x.csv").write_bytes(b"id\n1\n")
    (lake / "folder").symlink_to(lake.parent / "secret")
    (lake / "good").mkdir()
    (lake / "good" / "file.csv").symlink_to(lake.parent / "secret" / "x.csv")
    (lake / "inside.csv").write_bytes(b"id\n1\n")
    (lake / "link.csv").symlink_to(lake / "inside.csv")

    assert len(batches(connection, "link.csv")) == 1
    for path in ("folder/x.csv", "folder", "good/file.csv", "good", "**/*.csv"):
        with pytest.raises(OutsideRoot):
            batches(connection, path)


def test_a_path_that_leads_to_nothing_says_so(connection: Connection, put: Put) -> None:
    put("notes.txt", b"nothing")

    for path in (".", "missing.csv", "*.parquet"):
        with pytest.raises(DoNotRetry, match="no file"):
            batches(connection, path)


@pytest.mark.parametrize("form", ["parquet", "ndjson", "csv"])
def test_a_format_that_is_named_beats_the_name(connection: Connection, put: Put, form: Format) -> None:
    put("data.bin", FORMS[form](RECORDS))

    assert records(batches(connection, "data.bin", given=form)) == RECORDS


def test_a_file_that_changed_meanwhile_is_not_read_on(connection: Connection, put: Put) -> None:
    """A place in it means nothing any more."""
    put("a.ndjson", ndjson({"id": 1}, {"id": 2}))
    place = batches(connection, "a.ndjson", most=1)[0].place
    put("a.ndjson", ndjson({"id": 3}))

    with pytest.raises(DoNotRetry, match="changed"):
        batches(connection, "a.ndjson", after=place)


def test_a_file_that_is_gone_meanwhile_ends_the_copy(connection: Connection, put: Put, lake: Path) -> None:
    """What it still held would be missing, though all that is there was copied."""
    put("a.ndjson", ndjson({"id": 1}, {"id": 2}))
    place = replace(batches(connection, "a.ndjson", most=1)[0].place, file="A.ndjson")

    with pytest.raises(DoNotRetry, match="no more"):
        batches(connection, ".", after=place)


@pytest.mark.parametrize("content", [b"", b"PAR1 no", as_parquet(RECORDS)[:-9], as_parquet(RECORDS)[40:]])
def test_what_is_no_parquet_file_is_not_tried_again(connection: Connection, put: Put, content: bytes) -> None:
    put("a.parquet", content)

    with pytest.raises(DoNotRetry):
        batches(connection, "a.parquet")


def test_a_packed_file_that_is_cut_off_is_not_tried_again(connection: Connection, put: Put) -> None:
    put("a.ndjson.gz", gzip.compress(ndjson(*RECORDS))[:-12])

    with pytest.raises(DoNotRetry, match="damaged"):
        batches(connection, "a.ndjson.gz")


LINES = {
    b'{"id": 1': "not JSON",
    b"[1]": "not an object",
    b'{"id": NaN}': "not JSON",
    b'{"id": "\\ud800"}': "not JSON",
    b'{"id": "\xff"}': "not JSON",
    b"nothing": "not JSON",
    b'{"id": ' + b"[" * 100 + b"1" + b"]" * 100 + b"}": "nested deeper",
    b'{"id": ' + b"[" * 1015 + b"1" * 19 + b"]" * 1015 + b"}": "nested deeper",
    b'{"id": ' + b"[" * 5000 + b"]" * 5000 + b"}": "not JSON",
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_no_record_is_set_aside(connection: Connection, put: Put, line: bytes) -> None:
    """With its number, and as it stood; empty lines are none."""
    put("a.ndjson", b'\xef\xbb\xbf{"id": 1}\n\n' + line + b'\r\n{"id": 2}')

    (batch,) = batches(connection, "a.ndjson", most=10)

    assert records([batch]) == [{"id": 1}, {"id": 2}]
    assert [(each.line, LINES[line] in each.reason) for each in batch.piece.rejects] == [(3, True)]


@pytest.mark.parametrize("line", [b"1", b"1,2,3", b'"1"x,2', b"\xff,2", b'1,"open'])
def test_a_line_that_does_not_fit_the_header_is_set_aside(connection: Connection, put: Put, line: bytes) -> None:
    put("a.csv", b"id,name\n1,\n" + line + (b"\n2,two\n" if b"open" not in line else b""))

    found = batches(connection, "a.csv", most=10)

    assert records(found)[0] == {"id": "1", "name": None}
    assert [each.line for batch in found for each in batch.piece.rejects] == [3]


def test_a_line_of_csv_that_is_too_long_is_set_aside(connection: Connection, put: Put) -> None:
    """Where it is cut off, it may look like a whole record."""
    columns = MOST_BYTES // MOST_FIELD_BYTES + 1
    long = b",".join([b"x" * (MOST_FIELD_BYTES - 1)] * columns)
    header, short = b",".join(b"c%d" % at for at in range(columns)), b"," * (columns - 1)
    put("a.csv", b"\n".join([header, long, short]))

    found = batches(connection, "a.csv", most=10)

    assert [len(batch.piece.records) for batch in found if len(batch.piece.records)] == [1]
    assert [(each.line, "longer" in each.reason) for batch in found for each in batch.piece.rejects] == [(2, True)]


@pytest.mark.parametrize("header", [b"", b"id,id\n", b"id,,x\n", b'"open\n', b"\xff\n"])
def test_a_header_that_names_no_columns_ends_the_copy(connection: Connection, put: Put, header: bytes) -> None:
    put("a.csv", header)

    with pytest.raises(DoNotRetry, match="header"):
        batches(connection, "a.csv")


def test_a_batch_of_large_rows_has_few_of_them(connection: Connection, put: Put) -> None:
    """However many are asked for."""
    held = BytesIO()
    rows = pa.table({"id": [*range(40)], "text": ["x" * 1024 * 1024] * 40})
    parquet.write_table(rows, held, use_dictionary=False)
    put("a.parquet", held.getvalue())

    found = batches(connection, "a.parquet", most=100)

    assert sum(len(batch.piece.records) for batch in found) == 40
    assert all(len(batch.piece.records) * 1024 * 1024 <= MOST_BYTES for batch in found)


def test_integers_are_exact_however_long(connection: Connection, put: Put) -> None:
    put("a.ndjson", b'{"id": 123456789012345678901234567890}\n')

    assert records(batches(connection, "a.ndjson")) == [{"id": 123456789012345678901234567890}]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20", "0"], "integer"),
        (["1", "2.5", "-1e3"], "number"),
        (["123456789012345678901234567890", "1"], "decimal"),
        (["007", "1"], "text"),
        (["2026-11-22"], "date"),
        (["2026-11-22T10:00:00", "2026-11-22 10:00"], "timestamp"),
        (["2026-11-22T10:00:00+01:00"], "instant"),
        (["nan"], "text"),
        (["1_000"], "text"),
        (["+4912345678"], "text"),
        (["007.5"], "text"),
        (["-0"], "text"),
        ([" 1.5"], "text"),
        (["1.00000000000000000001"], "text"),
        (["1.50", "0.1"], "number"),
        (["2026-W01-1"], "text"),
        (["true"], "text"),
        (["1", "2026-11-22"], "text"),
        ([""], "text"),
    ],
)
def test_what_a_column_of_csv_holds_is_guessed_with_care(
    connection: Connection, put: Put, values: list[str], kind: str
) -> None:
    """Only what would be spelled the same again is anything but a text."""
    put("a.csv", b"key,value\n" + b"".join(f"x,{value}\n".encode() for value in values))

    (batch,) = batches(connection, "a.csv", most=100)

    assert batch.piece.records.types()["value"] == kind
