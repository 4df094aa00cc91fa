"""The AsyncAPI document: valid, and true of every message of every stream."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from websockets.asyncio.client import connect

from jobs.kinds import KINDS
from jobs.model import Failure, JobId, JsonObject
from tests.api import Api
from tests.documents.schemas import references, wrong
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.system import SECRET

HERE = Path(__file__).parent
SPECIFICATION = HERE / "node_modules/@asyncapi/specs/schemas/3.0.0.json"
PLACES = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
INSTALL_SECONDS = 120.0
UNKNOWN = "x" * 32


@pytest.fixture(scope="session")
def specification() -> JsonObject:
    """The JSON Schema of AsyncAPI 3 documents, as the specification's authors publish it."""
    if not SPECIFICATION.exists():
        npm = shutil.which("npm", path=PLACES)
        assert npm, "npm is not installed: `make install` brings it with the packages."
        environment = {**os.environ, "PATH": PLACES}
        subprocess.run([npm, "ci", "--silent"], cwd=HERE, env=environment, check=True, timeout=INSTALL_SECONDS)
    schema: JsonObject = json.loads(SPECIFICATION.read_text())
    return schema


async def test_the_document_is_valid(asyncapi: JsonObject, specification: JsonObject) -> None:
    """By the AsyncAPI 3.0 specification, and every reference in it leads somewhere."""
    errors = Draft7Validator(specification).iter_errors(asyncapi)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []
    for reference in references(asyncapi):
        found: object = asyncapi
        for name in reference.removeprefix("#/").split("/"):
            assert isinstance(found, dict)
            assert name in found, reference
            found = found[name]


async def test_every_update_of_a_stream_is_as_its_message_says(
    caller: Api, doors: Doors, asyncapi: JsonObject
) -> None:
    """A job that shows every type of update, listened to while it goes on, and once more when it has ended."""
    job_id = await doors.submit(KINDS["chat"])
    seen: set[str] = set()
    async with aclosing(caller.listen(job_id)) as events:
        told = await anext(events)
        seen.add(expect_fits(told.event, told.data, asyncapi))
        await act(doors, job_id)
        async for told in events:
            seen.add(expect_fits(told.event, told.data, asyncapi))
    async with aclosing(caller.listen(job_id)) as events:
        async for told in events:
            seen.add(expect_fits(told.event, told.data, asyncapi))

    assert seen == {"snapshot", "state", "progress", "step", "part", "delta", "end"}


async def test_every_message_of_a_socket_is_as_the_document_says(
    caller: Api, doors: Doors, asyncapi: JsonObject
) -> None:
    """Updates, answers to ops, and refusals."""
    job_id = await doors.submit(KINDS["chat"])
    await act(doors, job_id)
    url = str(caller.http.base_url).replace("http", "ws").rstrip("/") + "/v1/ws"
    headers = {"Authorization": f"Bearer {SECRET}"}
    ops: list[JsonObject] = [
        {"op": "ping"},
        {"op": "cancel", "job": job_id},
        {"op": "subscribe", "job": UNKNOWN},
        {"op": "subscribe", "job": job_id},
    ]
    answered: set[str] = set()
    told: set[str] = set()
    async with connect(url, subprotocols=["jobs.v1"], additional_headers=headers) as socket:  # type: ignore[list-item]
        for op in ops:
            assert wrong(op, asyncapi["components"]["messages"]["op"]["payload"], asyncapi) == []
            await socket.send(json.dumps(op))
        async for message in socket:
            said = json.loads(message)
            if "op" in said:
                assert wrong(said, payload("opAnswer", asyncapi), asyncapi) == []
                answered.add(said["op"])
                continue
            assert wrong(said, payload("socketMessage", asyncapi), asyncapi) == []
            told.add(expect_fits(said["event"], said["data"], asyncapi))
            if said["event"] == "end":
                break

    assert answered == {"pong", "cancelling", "error", "subscribed"}
    assert told == {"snapshot", "end"}


async def test_a_field_that_no_message_has_would_be_noticed(asyncapi: JsonObject) -> None:
    """The other tests would fail."""
    assert wrong({"part": "openai", "text": "x", "at": 0, "surprise": 1}, payload("delta", asyncapi), asyncapi)
    assert wrong({"part": "openai", "text": "x"}, payload("delta", asyncapi), asyncapi)


async def act(doors: Doors, job_id: JobId) -> None:
    """The job runs, shows every type of update, fails once for a while, and ends."""
    (claim,) = await doors.claim("first", kinds=[KINDS["chat"]])
    await doors.leases.postpone(
        claim, delay_seconds=0, error=Failure(type="x", title="t", detail="d", retryable=True)
    )
    await doors.fall_due(job_id)
    (claim,) = await doors.claim("second", kinds=[KINDS["chat"]])
    for flush in lines.whole_story():
        await doors.append(claim, *flush)


def expect_fits(event: str, data: JsonObject, asyncapi: JsonObject) -> str:
    """The event's name, once its data was found to be as the document says."""
    assert wrong(data, payload(event, asyncapi), asyncapi) == []
    return event


def payload(message: str, asyncapi: JsonObject) -> JsonObject:
    """The schema of the message."""
    schema: JsonObject = asyncapi["components"]["messages"][message]["payload"]
    return schema
