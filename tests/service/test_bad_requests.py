"""The corpus of bad requests against a real server: each is told what is wrong with it, and the server goes on."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import orjson
import pytest

from jobs.connection import Client
from service.problems import STATUS
from tests.api import Api
from tests.service.corpus.requests import REQUESTS, WORD, Bad
from tests.service.edge import SECRET, Edge, edge
from tests.service.raw import Answer, exchange, spelled
from tests.valkey import ValkeyProcess

AT_ONCE = 8
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
