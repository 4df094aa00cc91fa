"""How much one caller may ask for, over real HTTP; the store has the count."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from httpx2 import AsyncClient, Response
from starlette.requests import HTTPConnection

from jobs.connection import Client
from service.auth import Access
from service.credentials import Browser
from service.limits import Allowance, Guest, guest_of
from tests.api import Api
from tests.service.edge import browser, edge, watcher
from tests.service.serving import Serving
from tests.system import SECRET
from tests.valkey import ValkeyProcess, running_valkey

CHAT = {"kind": "chat", "input": {"message": "how much?"}}
SLOW = 0.001
"""So many a second that no test sees one come back."""


async def submit(caller: Api, **fields: object) -> Response:
    return await caller.http.post("/v1/jobs", json=CHAT | fields)


async def submit_many(caller: Api, count: int) -> list[Response]:
    """The answers to so many at once; a store that has no time for one is asked for the same again."""

    async def insist(number: int) -> Response:
        while (answer := await submit(caller, idempotency_key=f"of-many-{number}")).status_code == 503:
            pass
        return answer

    return await asyncio.gather(*(insist(number) for number in range(count)))


def outcomes(answers: list[Response]) -> Counter[str]:
    """How often each status came, with the problem's name where there is one."""
    return Counter(str(each.status_code) + each.json().get("type", "").replace("/problems/", " ") for each in answers)


@asynccontextmanager
async def visited(store: ValkeyProcess, allowance: Allowance, *subjects: str) -> AsyncIterator[list[Api]]:
    """A page of each subject, at a service with this allowance."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(edge(store.url, allowance=allowance))
        yield [await stack.enter_async_context(browser(service, subject)) for subject in subjects]


async def test_of_a_hundred_submissions_at_once_exactly_as_many_pass_as_may_go_on(
    store: ValkeyProcess, redis: Client
) -> None:
    """The count is taken in the act that makes the job; a refusal says when to come back and leaves nothing."""
    async with visited(store, Allowance(submissions_at_once=1000), "one") as (page,):
        answers = await submit_many(page, 100)

    told = outcomes(answers)
    assert (told["202"] + told["200"], told["429 too-many-jobs"]) == (10, 90)
    assert {each.headers.get("retry-after") for each in answers if each.status_code == 429} == {"5"}
    assert len(await redis.keys("js:*:job")) == len(await redis.keys("arq:job:*")) == 10


async def test_a_job_that_ends_makes_room_for_another(store: ValkeyProcess, redis: Client) -> None:
    async with visited(store, Allowance(active_jobs=1), "one") as (page,):
        first = (await submit(page)).json()["id"]
        refused = await submit(page)
        await page.http.post(f"/v1/jobs/{first}/cancel")
        second = await submit(page)

    assert (refused.status_code, second.status_code) == (429, 202)


async def test_a_subject_at_its_limit_leaves_others_alone(store: ValkeyProcess, redis: Client) -> None:
    async with visited(store, Allowance(active_jobs=1), "one", "two") as (page, another):
        answers = [await submit(each) for each in (page, page, another)]

    assert [each.status_code for each in answers] == [202, 429, 202]


async def test_a_repeat_with_its_key_is_answered_at_the_limit_too(store: ValkeyProcess, redis: Client) -> None:
    """It makes no job."""
    async with visited(store, Allowance(active_jobs=1), "one") as (page,):
        first = await submit(page, idempotency_key="a")
        again = await submit(page, idempotency_key="a")

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


async def test_no_other_way_to_start_a_job_passes_the_limit(store: ValkeyProcess, redis: Client) -> None:
    """A retry by hand and an event meet it as well; a retry that was refused leaves the job as it ended."""
    async with visited(store, Allowance(active_jobs=1), "one") as (page,):
        ended = (await submit(page)).json()["id"]
        await page.http.post(f"/v1/jobs/{ended}/cancel")
        await submit(page)
        retry = await page.http.post(f"/v1/jobs/{ended}/retry")
        event = await page.http.post("/v1/events", json={"name": "chat", "data": {"message": "x"}})
        left = await page.poll(ended)

    assert outcomes([retry, event]) == {"429 too-many-jobs": 2}
    assert (left["state"], left["run"]) == ("cancelled", 1)
    assert await redis.exists(f"arq:job:{ended}") == 0


async def test_submissions_may_come_in_a_burst_and_then_one_by_one(store: ValkeyProcess, redis: Client) -> None:
    """Retries and events are of the same burst; Retry-After says when the next one may come."""
    async with visited(store, Allowance(active_jobs=100, submissions_per_second=SLOW), "one") as (page,):
        answers = await submit_many(page, 30)
        event = await page.http.post("/v1/events", json={"name": "chat", "data": {"message": "x"}})

    assert outcomes(answers) == {"202": 20, "429 rate-limited": 10}
    assert outcomes([event]) == {"429 rate-limited": 1}
    assert 900 < int(event.headers["retry-after"]) <= 1000


async def test_the_burst_comes_back_with_time(store: ValkeyProcess, redis: Client) -> None:
    async with visited(store, Allowance(submissions_at_once=1, submissions_per_second=10), "one") as (page,):
        statuses = [(await submit(page)).status_code for _ in range(2)]
        async with asyncio.timeout(10):
            while (await submit(page)).status_code == 429:
                pass

    assert statuses == [202, 429]


async def test_a_job_is_polled_150_times_a_minute_and_no_more(service_of_default: Serving) -> None:
    """By snapshot or by log; another job has a count of its own, and so has whoever holds its stream token."""
    async with browser(service_of_default, "one") as page:
        job, another = [(await submit(page)).json()["id"] for _ in range(2)]
        paths = [f"/v1/jobs/{job}", f"/v1/jobs/{job}/updates"] * 80
        answers = [await page.http.get(path) for path in paths]
        async with watcher(service_of_default, job) as holder:
            others = [await page.http.get(f"/v1/jobs/{another}"), await holder.http.get(f"/v1/jobs/{job}")]

    assert outcomes(answers) == {"200": 150, "429 rate-limited": 10}
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert [each.status_code for each in others] == [200, 200]


async def test_polls_of_what_may_not_be_seen_are_not_counted(service_of_default: Serving, redis: Client) -> None:
    """Nobody fills the store with ids that are none."""
    async with browser(service_of_default, "one") as page:
        answers = [await page.http.get(f"/v1/jobs/{letter * 32}") for letter in "abc"]

    assert [each.status_code for each in answers] == [404] * 3
    assert await redis.keys("js:quota:*") == []


async def test_the_secrets_know_no_limit_and_cost_no_count(service_of_default: Serving, redis: Client) -> None:
    """Though the subject is one that is limited when it comes by itself."""
    async with Api(service_of_default.url, SECRET) as server:
        submitted = [await submit(server, subject="one") for _ in range(30)]
        job = submitted[0].json()["id"]
        polled = [await server.http.get(f"/v1/jobs/{job}") for _ in range(160)]

    assert outcomes(submitted) == {"202": 30}
    assert outcomes(polled) == {"200": 160}
    assert await redis.keys("js:quota:*") == []


async def test_the_subjects_of_one_address_share_its_quota(store: ValkeyProcess, redis: Client) -> None:
    """However many subjects somebody has."""
    allowance = Allowance(submissions_at_once=2, submissions_per_second=SLOW, subjects_of_an_address=2)
    async with visited(store, allowance, *"abc") as pages:
        answers = [await submit(page) for page in pages for _ in range(2)]

    assert [each.status_code for each in answers] == [202, 202, 202, 202, 429, 429]


@pytest.mark.parametrize(
    ("hops", "forwarded", "statuses"),
    [
        ("", ["192.0.2.1", "192.0.2.2"], [202, 429]),
        ("127.0.0.1", ["192.0.2.1", "192.0.2.2"], [202, 202]),
        ("127.0.0.0/8", ["192.0.2.1", "192.0.2.2"], [202, 202]),
        ("127.0.0.1", ["198.51.100.1, 192.0.2.1", "198.51.100.2, 192.0.2.1"], [202, 429]),
        ("127.0.0.1, 192.0.2.9", ["192.0.2.1, 192.0.2.9", "192.0.2.2, 192.0.2.9"], [202, 202]),
        ("192.0.2.9", ["192.0.2.1", "192.0.2.2"], [202, 429]),
    ],
    ids=["no hop", "the hop", "the hop's network", "invented before the hop", "two hops", "another hop"],
)
async def test_an_address_is_forwarded_by_trusted_hops_alone(
    store: ValkeyProcess, redis: Client, hops: str, forwarded: list[str], statuses: list[int]
) -> None:
    """What a caller says of itself counts for nothing."""
    allowance = Allowance(submissions_at_once=1, submissions_per_second=SLOW, subjects_of_an_address=1)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(edge(store.url, allowance=allowance, jobstream_trusted_hops=hops))
        pages = [await stack.enter_async_context(browser(service, subject)) for subject in "ab"]
        answers = [
            await page.http.post("/v1/jobs", json=CHAT, headers={"X-Forwarded-For": addresses})
            for page, addresses in zip(pages, forwarded, strict=True)
        ]

    assert [each.status_code for each in answers] == statuses


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_address_is_the_peers_and_of_ipv6_its_network(peer: str, counted: str) -> None:
    connection = HTTPConnection({"type": "http", "client": (peer, 1) if peer else None})

    assert guest_of(Access(Browser("one", frozenset(), 0.0)), connection) == Guest("subject:one", counted)


async def test_a_full_queue_takes_nothing_from_anybody(store: ValkeyProcess, redis: Client) -> None:
    """503 that says when to come back; a job that leaves it makes room."""
    async with edge(store.url, allowance=Allowance(waiting_jobs=3)) as service, Api(service.url, SECRET) as server:
        jobs = [(await submit(server)).json()["id"] for _ in range(3)]
        async with browser(service, "one") as page:
            refused = [await submit(server), await submit(page)]
        await server.http.post(f"/v1/jobs/{jobs[0]}/cancel")
        taken = await submit(server)

    assert outcomes(refused) == {"503 queue-full": 2}
    assert refused[0].headers["retry-after"] == "10"
    assert taken.status_code == 202


async def test_every_count_ends_by_itself(service_of_default: Serving, redis: Client) -> None:
    async with browser(service_of_default, "one") as page:
        job = (await submit(page)).json()["id"]
        await page.poll(job)
        stream = await page.http.head(f"/v1/jobs/{job}/stream")
    counts = await redis.keys("js:quota:*")
    left_ms = [await redis.pttl(each) for each in counts]

    assert stream.status_code == 200
    assert len(counts) >= 2  # polls, by subject and by address; submissions may be forgotten by now
    assert -1 not in left_ms  # the store's word for: never
    assert max(left_ms) <= 60_000


async def test_limits_cost_a_request_one_script(service_of_default: Serving, redis: Client) -> None:
    async with browser(service_of_default, "one") as page, Api(service_of_default.url, SECRET) as server:
        job = (await submit(page)).json()["id"]
        await page.poll(job)

        async def scripts(caller: AsyncClient) -> int:
            await redis.config_resetstat()
            await caller.get(f"/v1/jobs/{job}")
            told = await redis.info("commandstats")
            return int(told["cmdstat_evalsha"]["calls"]) if "cmdstat_evalsha" in told else 0

        assert await scripts(page.http) == await scripts(server.http) + 1


async def test_without_a_store_nobody_passes(tmp_path: Path) -> None:
    """Who cannot be counted is refused, and not let in."""
    with running_valkey(tmp_path) as store:
        async with edge(store.url) as service, browser(service, "one") as page:
            job = (await submit(page)).json()["id"]
            store.kill()
            answers = [await submit(page), await page.http.get(f"/v1/jobs/{job}")]

    assert outcomes(answers) == {"503 store-unavailable": 2}


async def test_a_store_that_is_full_is_still_read(tmp_path: Path) -> None:
    """It cannot count, but reading takes nothing of it; submissions are refused for what is wrong."""
    with running_valkey(tmp_path) as store:
        async with edge(store.url) as service, browser(service, "one") as page:
            job = (await submit(page)).json()["id"]
            await service.parts.client.config_set("maxmemory", "1")
            answers = [await submit(page), await page.http.get(f"/v1/jobs/{job}")]
            stream = [event.event async for event in page.listen(job, take=1)]

    assert [each.status_code for each in answers] == [503, 200]
    assert answers[0].json()["type"] == "/problems/storage-full"
    assert stream == ["snapshot"]


@pytest.fixture
async def service_of_default(store: ValkeyProcess, redis: Client) -> AsyncIterator[Serving]:
    """A service with the allowance that is promised, on the empty store."""
    async with edge(store.url) as service:
        yield service
