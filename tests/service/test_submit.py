"""Submitting: what is taken, what is refused and how, and that a refusal leaves nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest
from httpx2 import Response

from jobs.connection import Client
from jobs.kind import MEBIBYTE
from jobs.kinds import KINDS
from jobs.model import State
from tests.api import Api
from tests.jobs.doors import Doors, idle_kind
from tests.jobs.patience import until
from tests.service.bodies import GOOD, NO_JSON, NO_SUBMISSION, WORD
from tests.service.serving import Serving, serving
from tests.system import SECRET
from tests.transports.hand import take_in_hand
from tests.valkey import ValkeyProcess

Send = Callable[..., Any]
JSON = {"Content-Type": "application/json"}


async def post(caller: Api, body: bytes, **headers: str) -> Response:
    return await caller.http.post("/v1/jobs", content=body, headers=JSON | headers)


async def submit(caller: Api, *, headers: dict[str, str] | None = None, **fields: Any) -> Response:
    return await caller.http.post("/v1/jobs", json=GOOD | fields, headers=headers or {})


def told(response: Response) -> tuple[int, str]:
    """Status and slug; of a refusal that is a whole problem, and says nothing of the body."""
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "instance"}
    assert problem["status"] == response.status_code
    assert problem["instance"] == response.headers["x-request-id"]
    assert WORD not in response.text
    return response.status_code, problem["type"].removeprefix("/problems/")


async def test_a_submission_is_answered_with_the_job_and_a_token_to_watch_it(service: Serving, caller: Api) -> None:
    """202, the snapshot, where it is, and a token that reads that one job."""
    response = await submit(caller, subject="user-42", metadata={"page": "7"}, priority=10)

    job = response.json()
    assert response.status_code == 202
    assert response.headers["location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["run"], job["attempt"], job["seq"]) == ("queued", 1, 0, 1)
    assert (job["subject"], job["metadata"], job["priority"]) == ("user-42", {"page": "7"}, 10)
    async with Api(service.url, job["stream_token"]) as watcher:
        assert (await watcher.poll(job["id"]))["id"] == job["id"]


async def test_no_bad_body_is_taken_repeated_or_a_fault_of_ours(caller: Api, redis: Client) -> None:
    """The whole corpus: what is no JSON is 400, and nothing of it is stored."""
    answers = {name: told(await post(caller, body)) for name, body in NO_JSON.items()}

    assert answers == dict.fromkeys(NO_JSON, (400, "invalid-json"))
    assert await redis.keys() == []


async def test_every_field_out_of_bounds_is_pointed_at(caller: Api, redis: Client) -> None:
    """The whole corpus: what is no submission is 422 with a JSON Pointer, and nothing of it is stored."""
    for name, (body, pointer) in NO_SUBMISSION.items():
        response = await post(caller, body)

        assert told(response) == (422, "invalid-input"), name
        assert pointer in [error["pointer"] for error in response.json()["errors"]], (name, response.text)
    assert await redis.keys() == []


async def test_a_kind_that_nobody_knows_is_refused(caller: Api, redis: Client) -> None:
    assert told(await submit(caller, kind=WORD)) == (422, "unknown-kind")
    assert await redis.keys() == []


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json5",
        "json",
    ],
)
async def test_only_json_is_read(caller: Api, redis: Client, media_type: str) -> None:
    """Anything else is what a form on another site could send."""
    headers = {"Content-Type": media_type} if media_type else {}
    response = await caller.http.post("/v1/jobs", content=b"{}", headers=headers)

    assert told(response) == (415, "unsupported-media-type")
    assert await redis.keys() == []


def of_size(size: int) -> bytes:
    """A good submission of so many bytes."""
    empty = b'{"kind": "chat", "input": {"message": "%s"}}'
    return empty % (b"x" * (size - len(empty) + 2))


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


@pytest.mark.parametrize("framed", [bytes, in_chunks], ids=["with its length", "in chunks"])
async def test_a_body_has_a_megabyte_and_not_a_byte_more(caller: Api, framed: Send) -> None:
    """Whether or not it says its size beforehand."""
    just = await caller.http.post("/v1/jobs", content=framed(of_size(MEBIBYTE)), headers=JSON)
    over = await caller.http.post("/v1/jobs", content=framed(of_size(MEBIBYTE + 1)), headers=JSON)

    assert just.status_code == 202
    assert told(over) == (413, "payload-too-large")


@pytest.mark.parametrize("framed", [bytes, in_chunks], ids=["with its length", "in chunks"])
async def test_a_kind_may_take_less_than_others(store: ValkeyProcess, redis: Client, framed: Send) -> None:
    """Its own limit holds, even where another kind's is larger."""
    kinds = {**KINDS, "small": idle_kind("small", body_limit=64)}
    just, over = (b'{"kind": "small", "input": {}' + b" " * more + b"}" for more in (34, 35))
    async with serving(store.url, kinds=kinds) as service, Api(service.url, SECRET) as caller:
        taken = await caller.http.post("/v1/jobs", content=framed(just), headers=JSON)
        refused = await caller.http.post("/v1/jobs", content=framed(over), headers=JSON)

    assert taken.status_code == 202
    assert told(refused) == (413, "payload-too-large")


async def test_the_same_key_is_the_same_job(caller: Api) -> None:
    """200, marked as a repeat, whichever way the key comes, and only the input counts."""
    first = await submit(caller, idempotency_key="k")
    again = [
        await submit(caller, idempotency_key="k", priority=1, metadata={"a": "b"}),
        await submit(caller, headers={"Idempotency-Key": "k"}),
        await submit(caller, headers={"Idempotency-Key": "k"}, idempotency_key="k"),
    ]

    assert (first.status_code, "idempotent-replayed" in first.headers) == (202, False)
    for each in again:
        assert (each.status_code, each.headers["idempotent-replayed"]) == (200, "true")
        assert each.headers["location"] == first.headers["location"]
        assert each.json()["id"] == first.json()["id"]
        assert each.json()["stream_token"]


async def test_a_key_belongs_to_its_subject_and_to_its_input(caller: Api) -> None:
    """Others may use the same one; the same one may not ask for something else."""
    mine = await submit(caller, subject="a", idempotency_key="k")
    theirs = await submit(caller, subject="b", idempotency_key="k")
    nobodys = await submit(caller, idempotency_key="k")
    other = await submit(caller, subject="a", idempotency_key="k", input={"message": WORD + "!"})

    assert [each.status_code for each in (mine, theirs, nobodys)] == [202] * 3
    assert len({each.json()["id"] for each in (mine, theirs, nobodys)}) == 3
    assert told(other) == (422, "idempotency-key-reused")


async def test_two_keys_that_differ_are_refused(caller: Api, redis: Client) -> None:
    response = await submit(caller, headers={"Idempotency-Key": "k"}, idempotency_key="l")

    assert told(response) == (400, "invalid-request")
    assert await redis.keys() == []


@pytest.mark.parametrize("key", ["", "x" * 257], ids=["empty", "long"])
async def test_a_key_in_the_header_has_the_bounds_of_the_field(caller: Api, redis: Client, key: str) -> None:
    """The header equals `idempotency_key`, so it is told like it."""
    response = await submit(caller, headers={"Idempotency-Key": key})

    assert told(response) == (422, "invalid-input")
    assert response.json()["errors"][0]["pointer"] == "/idempotency_key"
    assert await redis.keys() == []


async def test_a_key_is_free_again_when_its_job_is_deleted(caller: Api) -> None:
    first = await submit(caller, idempotency_key="k")
    job_id = first.json()["id"]
    await caller.http.post(f"/v1/jobs/{job_id}/cancel")
    assert (await caller.http.delete(f"/v1/jobs/{job_id}")).status_code == 204

    again = await submit(caller, idempotency_key="k")

    assert (again.status_code, again.json()["id"] != job_id) == (202, True)


async def test_a_hundred_at_once_with_one_key_make_one_job(caller: Api, doors: Doors) -> None:
    """One is told that it is new, all get the same."""
    answers = await asyncio.gather(*(submit(caller, idempotency_key="k") for _ in range(100)))

    assert sorted(answer.status_code for answer in answers) == [200] * 99 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await doors.client.keys("js:*:job")) == 1


async def test_a_submission_that_waits_is_answered_with_the_end(service: Serving, caller: Api, doors: Doors) -> None:
    """201 where it came in time; a repeat that waits gets it too, as a repeat."""
    waiting = asyncio.create_task(submit(caller, headers={"Prefer": "wait=500"}, idempotency_key="k"))
    await until(partial(_is_followed, service))
    repeating = asyncio.create_task(submit(caller, headers={"Prefer": "wait=20"}, idempotency_key="k"))
    (job_id,) = service.parts.feed._hub._tails
    hand = await take_in_hand(doors, job_id)
    await hand.write(hand.end(State.COMPLETED, result={"ok": True}))

    created, repeated = await waiting, await repeating

    assert (created.status_code, created.headers["preference-applied"]) == (201, "wait=120")
    assert (repeated.status_code, repeated.headers["idempotent-replayed"]) == (200, "true")
    assert created.json()["result"] == repeated.json()["result"] == {"ok": True}
    assert created.headers["location"] == f"/v1/jobs/{job_id}"


async def test_a_submission_that_waited_in_vain_is_202(caller: Api) -> None:
    response = await submit(caller, headers={"Prefer": "wait=0"})

    assert (response.status_code, response.headers["preference-applied"]) == (202, "wait=0")
    assert response.json()["state"] == "queued"


async def _is_followed(service: Serving) -> bool:
    return service.parts.feed._hub.followed == 1


async def test_a_subject_may_be_named_as_its_owner_likes(caller: Api) -> None:
    """And is forgotten by that name, slashes and all."""
    job = await caller.submit("Hello", subject="org/7 ü")
    assert (await caller.http.delete("/v1/subjects/org%2F7%20%C3%BC")).status_code == 202
    assert (await caller.poll(job["id"]))["state"] == "cancelled"
