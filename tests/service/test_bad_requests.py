"""The corpus of bad requests against a real server: each is told what is wrong with it, and the server goes on."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import orjson
import pytest
from websockets.asyncio.client import connect

from jobs.connection import Client
from service.problems import STATUS
from tests.api import Api
from tests.service.corpus.frames import CLOSING, REFUSED, frame
from tests.service.corpus.raw import RAW
from tests.service.corpus.requests import REQUESTS, WORD, Bad
from tests.service.edge import Edge, edge
from tests.service.raw import Answer, closed_with, exchange, spelled
from tests.system import SECRET
from tests.valkey import ValkeyProcess

AT_ONCE = 8
TRY_LATER = 1013
CREDENTIAL = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
async def service(store: ValkeyProcess, redis: Client) -> AsyncIterator[Edge]:
    """The API as its process serves it, on the empty store."""
    async with edge(store.url) as running:
        yield running


@pytest.fixture
async def jobs(service: Edge) -> dict[str, str]:
    """What the paths of the corpus name: a job that waits, and one that has ended."""
    async with Api(service.url, SECRET) as server:
        job, ended = [(await server.submit("x"))["id"] for _ in range(2)]
        await server.http.post(f"/v1/jobs/{ended}/cancel")
    return {"{job}": job, "{ended}": ended}


async def test_every_bad_request_is_told_what_is_wrong_with_it(service: Edge, jobs: dict[str, str]) -> None:
    """With the status of the corpus, as a problem that doesn't repeat what was sent."""
    answers = await asked(service, jobs, REQUESTS)

    assert {name: answer.status for name, answer in answers.items()} == {
        name: bad.status for name, bad in REQUESTS.items()
    }
    for name, answer in answers.items():
        if REQUESTS[name].method != "HEAD":
            assert answer.headers["content-type"] == "application/problem+json", name
            assert _is_problem(answer), (name, answer.body)
        assert WORD.encode() not in answer.body, name
    assert await serves(service)


async def asked(service: Edge, jobs: Mapping[str, str], corpus: Mapping[str, Bad]) -> dict[str, Answer]:
    """The answer to each request of the corpus, a few at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(bad: Bad) -> Answer:
        path = bad.path
        for name, job in jobs.items():
            path = path.replace(name, job)
        async with gate:
            return await exchange(service.url, spelled(bad.method, path, {**CREDENTIAL, **bad.headers}, bad.body))

    answers = await asyncio.gather(*(ask(bad) for bad in corpus.values()))
    return dict(zip(corpus, answers, strict=True))


async def serves(service: Edge) -> bool:
    """Whether the server still takes a job and knows it."""
    async with Api(service.url, SECRET) as server:
        job = await server.submit("still there?")
        return bool((await server.poll(job["id"]))["id"] == job["id"])


def _is_problem(answer: Answer) -> bool:
    problem = orjson.loads(answer.body)
    slug = problem["type"].removeprefix("/problems/")
    return bool(STATUS[slug] == problem["status"] == answer.status)


async def test_bytes_that_are_no_request_are_refused_and_end_the_connection(service: Edge) -> None:
    """Whatever could be read in two ways, too; the status is right also where a parser answers by itself."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(message: bytes) -> Answer:
        async with gate:
            return await exchange(service.url, message)

    answers = await asyncio.gather(*(ask(message) for message, _ in RAW.values()))

    got = {name: answer.status for name, answer in zip(RAW, answers, strict=True)}
    assert {name: status for name, status in got.items() if status not in RAW[name][1]} == {}
    assert await serves(service)


async def test_what_may_not_be_said_on_a_socket_closes_it(service: Edge) -> None:
    """With the code that says why."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def say(message: bytes) -> int:
        async with gate:
            return await closed_with(service.url, message)

    codes = await asyncio.gather(*(say(message) for message, _ in CLOSING.values()))

    assert dict(zip(CLOSING, codes, strict=True)) == {name: code for name, (_, code) in CLOSING.items()}
    assert await serves(service)


@pytest.mark.parametrize(("op", "slug"), REFUSED.values(), ids=REFUSED)
async def test_a_refused_op_leaves_the_socket_open(service: Edge, op: object, slug: str) -> None:
    async with connect(service.url.replace("http", "ws") + "/v1/ws", additional_headers=CREDENTIAL) as socket:
        await socket.send(orjson.dumps(op).decode())
        refusal = orjson.loads(await socket.recv())
        await socket.send('{"op": "ping"}')
        answer = await socket.recv()

    assert (refusal["op"], refusal["problem"]["type"]) == ("error", f"/problems/{slug}")
    assert answer == '{"op":"pong"}'


async def test_more_than_ten_messages_a_second_close_the_socket(service: Edge) -> None:
    assert await closed_with(service.url, frame(b'{"op": "ping"}') * 30) == TRY_LATER
