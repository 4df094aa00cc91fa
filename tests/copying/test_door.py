"""What is looked at when a copy is submitted, and what can be asked of it afterwards."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jobs.connection import Client
from jobs.errors import ConnectionInvalid
from jobs.log import Line
from jobs.records.connections import Connections, read_connections
from jobs.rejects import MOST_RECORD_BYTES, MOST_REJECTS, Reject, Rejects
from tests.api import Api
from tests.copying.copyist import Copyist, a_copy, ndjson
from tests.copying.destinations import Destination, Postgresql
from tests.jobs.doors import Doors
from tests.service.serving import serving
from tests.system import SECRET, free_port
from tests.valkey import ValkeyProcess

EX_CONFIG = 78
PASSWORD = "a-password-that-nobody-sees"


@pytest.fixture
def connections(lake: Path, destination: Destination) -> Connections:
    return read_connections(
        {
            "JOBSTREAM_CONNECTION_LAKE": f"file://{lake}",
            "JOBSTREAM_CONNECTION_WAREHOUSE": destination.url,
            "JOBSTREAM_CONNECTION_AWAY": f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/nothing",
            "JOBSTREAM_CONNECTION_MISSING": f"{destination.url}_missing",
            "JOBSTREAM_CONNECTION_STRANGERS": destination.url.replace("tester@", "stranger@"),
            "JOBSTREAM_CONNECTION_JUNK": f"sqlite://{lake}/things.ndjson",
        }
    )


@pytest.fixture
async def caller(store: ValkeyProcess, redis: Client, connections: Connections) -> AsyncIterator[Api]:
    """Who submits copies to a service that knows the connections."""
    async with serving(store.url, connections=connections) as running, Api(running.url, SECRET) as api:
        yield api


async def refused(caller: Api, **changed: Any) -> list[str]:
    """Where the input is wrong; empty where it is taken."""
    given = a_copy("things.ndjson").model_dump(exclude_unset=True) | changed
    answer = await caller.http.post("/v1/jobs", json={"kind": "copy-records", "input": given})
    if answer.status_code == 202:
        return []
    assert answer.status_code == 422, answer.text
    assert PASSWORD not in answer.text
    return [error["pointer"] for error in answer.json()["errors"]]


def source(connection: str = "lake", path: str = "things.ndjson") -> dict[str, str]:
    return {"connection": connection, "path": path}


def target(connection: str = "warehouse", table: str = "things") -> dict[str, str]:
    return {"connection": connection, "table": table}


async def test_a_table_without_a_unique_index_on_the_key_is_refused(caller: Api, destination: Destination) -> None:
    """One that has such an index is taken, and so is one that is yet to be made."""
    await destination.make("bare")
    await destination.make("good", unique=["id"])
    await destination.make("pair", unique=["id", "name"])

    assert await refused(caller, destination=target(table="bare")) == ["/input/key"]
    assert await refused(caller, destination=target(table="pair")) == ["/input/key"]
    assert await refused(caller, destination=target(table="pair"), key=["name", "id"]) == []
    assert await refused(caller, destination=target(table="good")) == []
    assert await refused(caller) == []


@pytest.mark.parametrize("destination", ["sqlite"], indirect=True)
async def test_only_what_can_be_is_taken(caller: Api, lake: Path) -> None:
    """Connections that there are, each for what it is; paths below the root; names that may be one."""
    (lake / "out").symlink_to(lake.parent)

    assert await refused(caller, source=source("nowhere")) == ["/input/source/connection"]
    assert await refused(caller, source=source("warehouse")) == ["/input/source/connection"]
    assert await refused(caller, destination=target("lake")) == ["/input/destination/connection"]
    assert await refused(caller, source=source(str(lake.parent))) == ["/input/source/connection"]
    for path in ("../x.csv", "/etc/passwd", "a/../../x.csv", "file:///etc/passwd", "out/x.csv", "out", "out/*.csv"):
        assert await refused(caller, source=source(path=path)) == ["/input/source/path"]
    for table in ("jobstream_checkpoints", "Jobstream_Checkpoints", "other.jobstream_checkpoints", ".a", "a."):
        assert await refused(caller, destination=target(table=table)) == ["/input/destination/table"]
    assert await refused(caller, key=["id", "id"]) == ["/input/key"]
    for wrong in ({"key": []}, {"batch_size": 0}, {"max_errors": -1}, {"dry_run": "yes"}, {"what": 1}):
        assert await refused(caller, **wrong) == [f"/input/{next(iter(wrong))}"]


@pytest.mark.parametrize("destination", ["sqlite"], indirect=True)
async def test_a_destination_that_does_not_answer_is_the_job_s_to_wait_for(caller: Api) -> None:
    assert await refused(caller, destination=target("away")) == []


@pytest.mark.parametrize("destination", ["postgresql"], indirect=True)
async def test_a_destination_that_cannot_be_looked_at_is_the_job_s_to_complain_of(
    caller: Api, destination: Postgresql, lake: Path
) -> None:
    """A database that there is not, a file that is none, a schema that its user may not look into."""
    (lake / "things.ndjson").write_bytes(ndjson({"id": 1}) * 200)
    await destination.execute("CREATE SCHEMA hidden; DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN")

    assert await refused(caller, destination=target("missing")) == []
    assert await refused(caller, destination=target("junk")) == []
    assert await refused(caller, destination=target("strangers", "hidden.things")) == []


@pytest.mark.parametrize("destination", ["sqlite"], indirect=True)
async def test_an_event_starts_no_copy_that_writes_where_copies_are_remembered(
    caller: Api, destination: Destination
) -> None:
    """It is dropped, as data that no kind takes."""
    given = a_copy("things.ndjson").model_dump(exclude_unset=True)
    statuses = []
    for changed in ({}, {"destination": target(table="jobstream_checkpoints")}, {"key": ["id", "id"]}):
        answer = await caller.http.post("/v1/events", json={"name": "copy-records", "data": given | changed})
        statuses.append((answer.status_code, len(answer.json()["job_ids"])))

    assert statuses == [(202, 1), (202, 0), (202, 0)]


@pytest.mark.parametrize("destination", ["sqlite"], indirect=True)
async def test_what_was_set_aside_is_told_as_lines_of_json(
    caller: Api, doors: Doors, redis: Client, lake: Path, connections: Connections
) -> None:
    """To whoever reads the job; it expires, and is forgotten with the job."""
    (lake / "things.ndjson").write_bytes(ndjson({"id": 1}, {"name": "nobody"}) + b"nonsense\n")
    claim = await doors.running(subject="one")
    await Copyist(claim, connections, Rejects(redis)).copy("things.ndjson")

    answer = await caller.http.get(f"/v1/jobs/{claim.job_id}/rejects")

    assert answer.headers["content-type"].startswith("application/x-ndjson")
    lines = [line.split(b'"reason":')[0] for line in answer.content.splitlines()]
    assert lines == [b'{"record":{"name":"nobody"},"line":2,', b'{"record":"nonsense","line":3,']
    assert (await doors.lifetimes())[f"js:{claim.job_id}:rejects"] > 0
    await doors.append(claim, Line("end", head="completed", value=b"null"))
    await caller.http.delete("/v1/subjects/one")
    assert f"js:{claim.job_id}:rejects" not in await doors.lifetimes()


async def test_only_so_much_is_set_aside(doors: Doors, redis: Client) -> None:
    """The first thousand, each cut to size, however often they are added."""
    rejects = Rejects(redis)
    claim = await doors.running()
    some = [Reject("a", at, "x" * 2 * MOST_RECORD_BYTES, "why") for at in range(1, 601)]

    for after in (600, 0, 0, 1200):
        await rejects.add(claim.job_id, None, some, after=after)

    kept = (await rejects.read(claim.job_id, None)).splitlines()
    assert len(kept) <= MOST_REJECTS
    assert max(map(len, kept)) < 2 * MOST_RECORD_BYTES


@pytest.mark.parametrize("destination", ["sqlite"], indirect=True)
async def test_no_connections_url_is_shown(connections: Connections) -> None:
    assert PASSWORD not in repr(connections)


WRONG = {
    "an unknown scheme": f"ftp://me:{PASSWORD}@host/lake",
    "no absolute path": "file://relative/path",
    "no bucket": "s3://",
    "a password in a bucket's": f"s3://me:{PASSWORD}@bucket",
    "a port that is none": f"postgresql://me:{PASSWORD}@host:port/db",
    "no database": f"mongodb://me:{PASSWORD}@host",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_connection_that_cannot_stand_is_named(wrong: str) -> None:
    """By its variable, and nothing of what that holds."""
    with pytest.raises(ConnectionInvalid, match="JOBSTREAM_CONNECTION_LAKE") as refused:
        read_connections({"JOBSTREAM_CONNECTION_LAKE": WRONG[wrong]})

    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("process", [["service"], ["arq", "workers.main.WorkerSettings"]])
def test_no_process_starts_with_a_connection_that_cannot_stand(tmp_path: Path, process: list[str]) -> None:
    """It ends with 78, and says which variable it is."""
    wrong = {"JOBSTREAM_CONNECTION_LAKE": f"ftp://me:{PASSWORD}@host"}
    environment = {"PATH": os.environ["PATH"], "JOBSTREAM_DATA": str(tmp_path), **wrong}
    command = [sys.executable, "-m", *process]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert ended.returncode == EX_CONFIG
    assert "JOBSTREAM_CONNECTION_LAKE" in ended.stderr
    assert PASSWORD not in ended.stderr + ended.stdout
