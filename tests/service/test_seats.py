"""Streams at the same time: as many as one caller may have, given back however a stream or its process ends."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from httpx2 import Response
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect

from jobs.connection import Client
from service.limits import Allowance
from tests.api import Api, parsed
from tests.jobs.patience import until
from tests.service.edge import KEYRING, browser, edge, edge_process, watcher
from tests.service.serving import Serving
from tests.system import SECRET
from tests.valkey import ValkeyProcess, running_valkey

EVENT_SOURCE = {"Accept": "text/event-stream"}


@pytest.fixture
async def service(store: ValkeyProcess, redis: Client) -> AsyncIterator[Serving]:
    """A service with the allowance that is promised, on the empty store."""
    async with edge(store.url) as running:
        yield running


async def submitted(service: Serving, **fields: object) -> str:
    async with Api(service.url, SECRET) as server:
        job_id: str = (await server.submit("watched", **fields))["id"]
        return job_id


@asynccontextmanager
async def opened(caller: Api, path: str, **headers: str) -> AsyncIterator[Response]:
    """A stream as it begins; left when the block ends."""
    async with caller.http.stream("GET", path, headers=headers) as response:
        yield response


async def open_many(stack: AsyncExitStack, caller: Api, path: str, count: int) -> list[Response]:
    """So many streams at once; a store that has no time for one is asked again."""

    async def insist() -> Response:
        while (response := await stack.enter_async_context(opened(caller, path))).status_code != 200:
            await response.aread()  # frees its connection
            if response.status_code != 503:
                break
        return response

    return list(await asyncio.gather(*(insist() for _ in range(count))))


@asynccontextmanager
async def socket(service: Serving, path: str, token: str = "") -> AsyncIterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with connect(service.url.replace("http", "ws") + path, additional_headers=headers) as connection:
        yield connection


async def taken(redis: Client) -> int:
    """How many seats are taken, by the fullest count."""
    return max([int(await redis.zcard(each)) for each in await redis.keys("js:quota:streams:*")], default=0)


async def until_taken(redis: Client, count: int) -> None:
    async def so_many() -> bool:
        return await taken(redis) == count

    await until(so_many)


async def test_of_a_hundred_streams_at_once_exactly_twenty_are_opened(service: Serving, redis: Client) -> None:
    """The rest is told so with a real status, and none of those that are open minds."""
    job = await submitted(service, subject="one")
    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(browser(service, "one"))
        answers = await open_many(stack, page, f"/v1/jobs/{job}/stream", 100)
        refusals = [each for each in answers if each.status_code == 429]

        assert Counter(each.status_code for each in answers) == {200: 20, 429: 80}
        assert json.loads(await refusals[0].aread())["type"] == "/problems/too-many-streams"
        assert refusals[0].headers["retry-after"] == "5"


async def test_every_kind_of_stream_takes_of_the_same_seats(store: ValkeyProcess, redis: Client) -> None:
    job = await submitted_to(store, subject="one")
    token = KEYRING.browser_token("one", frozenset({"read"}), seconds=60).token
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(edge(store.url, allowance=Allowance(streams=4)))
        page = await stack.enter_async_context(browser(service, "one"))
        await stack.enter_async_context(opened(page, f"/v1/jobs/{job}/stream"))
        await stack.enter_async_context(opened(page, f"/v1/stream?job={job}"))
        await stack.enter_async_context(socket(service, f"/v1/jobs/{job}/ws", token))
        many = await stack.enter_async_context(socket(service, "/v1/ws", token))
        await many.send('{"op": "ping"}')
        await many.recv()
        await until_taken(redis, 4)
        stream = await stack.enter_async_context(opened(page, f"/v1/stream?job={job}"))
        refused = await stack.enter_async_context(socket(service, "/v1/ws", token))
        said = json.loads(await refused.recv())
        await refused.wait_closed()

    assert stream.status_code == 429
    assert (said["op"], said["problem"]["type"]) == ("error", "/problems/too-many-streams")
    assert refused.close_code == 1013


async def submitted_to(store: ValkeyProcess, **fields: object) -> str:
    async with edge(store.url) as service:
        return await submitted(service, **fields)


async def test_an_event_source_bears_the_refusal_and_comes_back(store: ValkeyProcess, redis: Client) -> None:
    """It is given 200, a time to wait, the problem and a close; who wants the status is given that."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(edge(store.url, allowance=Allowance(streams=0)))
        path = f"/v1/jobs/{await submitted(service, subject='one')}/stream"
        page = await stack.enter_async_context(browser(service, "one"))
        softened = await stack.enter_async_context(opened(page, path, **EVENT_SOURCE))
        events = [event async for event in parsed(softened.aiter_bytes())]
        plain = await page.http.get(path)
        wanted = await page.http.get(path, headers={**EVENT_SOURCE, "Prefer": "status"})
        both = await page.http.get(path, headers={"Accept": "text/event-stream, */*"})

    assert (softened.status_code, softened.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert [(each.event, each.data["type"]) for each in events] == [("problem", "/problems/too-many-streams")]
    assert [each.status_code for each in (plain, wanted, both)] == [429, 429, 429]


async def leave_by_hand(stack: AsyncExitStack, server: Api, job: str) -> None:
    await stack.aclose()


async def end_with_the_job(_stack: AsyncExitStack, server: Api, job: str) -> None:
    await server.http.post(f"/v1/jobs/{job}/cancel")


async def lose_the_job(_stack: AsyncExitStack, server: Api, job: str) -> None:
    await server.http.post(f"/v1/jobs/{job}/cancel")
    await server.http.delete(f"/v1/jobs/{job}")


@pytest.mark.parametrize("end", [leave_by_hand, end_with_the_job, lose_the_job])
@pytest.mark.parametrize("path", ["/v1/jobs/{job}/stream", "/v1/stream?job={job}", "/v1/jobs/{job}/ws"])
async def test_a_stream_that_ends_gives_its_seat_back(
    service: Serving, redis: Client, path: str, end: object
) -> None:
    """At once, whoever ended it."""
    assert callable(end)
    job = await submitted(service, subject="one")
    async with AsyncExitStack() as stack, Api(service.url, SECRET) as server:
        if path.endswith("ws"):
            token = KEYRING.browser_token("one", frozenset({"read"}), seconds=60).token
            await stack.enter_async_context(socket(service, path.format(job=job), token))
        else:
            page = await stack.enter_async_context(browser(service, "one"))
            await stack.enter_async_context(opened(page, path.format(job=job)))
        await until_taken(redis, 1)

        await end(stack, server, job)

        await until_taken(redis, 0)


async def test_what_is_no_stream_keeps_no_seat(service: Serving, redis: Client) -> None:
    """HEAD, a stream that has nothing to say any more, and those that are refused."""
    job = await submitted(service, subject="one")
    path = f"/v1/jobs/{job}/stream"
    async with browser(service, "one") as page:
        await page.http.post(f"/v1/jobs/{job}/cancel")
        end = [event async for event in page.listen(job)][-1]
        answers = [
            await page.http.head(path),
            await page.http.get(path, headers={"Last-Event-ID": str(end.id)}),
            await page.http.get(path, headers={"Last-Event-ID": "nonsense"}),
            await page.http.get(f"/v1/jobs/{'x' * 32}/stream"),
        ]

    assert [each.status_code for each in answers] == [200, 204, 400, 404]
    await until_taken(redis, 0)


async def test_a_storm_of_readers_that_leave_gives_every_seat_back(service: Serving, redis: Client) -> None:
    """And the next ones find them."""
    path = f"/v1/jobs/{await submitted(service, subject='one')}/stream"
    for _ in range(3):
        async with AsyncExitStack() as stack:
            page = await stack.enter_async_context(browser(service, "one"))
            answers = await open_many(stack, page, path, 20)
            assert {each.status_code for each in answers} == {200}
        await until_taken(redis, 0)


async def test_a_stream_token_has_seats_of_its_own_at_each_address(service: Serving, redis: Client) -> None:
    """Whoever reads takes none of the subject's; the server's streams are not counted."""
    job = await submitted(service, subject="one")
    path = f"/v1/jobs/{job}/stream"
    async with AsyncExitStack() as stack:
        holder = await stack.enter_async_context(watcher(service, job))
        page = await stack.enter_async_context(browser(service, "one"))
        server = await stack.enter_async_context(Api(service.url, SECRET))
        statuses = [
            Counter(each.status_code for each in await open_many(stack, caller, path, 22))
            for caller in (holder, page, server)
        ]

    assert statuses == [{200: 20, 429: 2}, {200: 20, 429: 2}, {200: 22}]


async def test_a_stream_keeps_its_seat_past_its_lease(store: ValkeyProcess, redis: Client) -> None:
    async with edge(store.url, seat_seconds=0.6) as service, browser(service, "one") as page:
        job = await submitted(service, subject="one")
        async with opened(page, f"/v1/jobs/{job}/stream"):
            (name, *_) = await redis.keys("js:quota:streams:*")
            ((_, began),) = await redis.zrange(name, 0, -1, withscores=True)

            async def renewed_twice() -> bool:
                ((_, ends),) = await redis.zrange(name, 0, -1, withscores=True)
                return bool(ends > began + 600)

            await until(renewed_twice)


async def test_a_killed_process_gives_its_seats_back(store: ValkeyProcess, redis: Client) -> None:
    """Its streams count until their lease is over, and no longer."""
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(edge(store.url))
        path = f"/v1/jobs/{await submitted(service, subject='one')}/stream"
        process, url = stack.enter_context(edge_process(store.url, seat_seconds=2.0))
        token = KEYRING.browser_token("one", frozenset({"read"}), seconds=60).token
        theirs = await stack.enter_async_context(Api(url, token))
        ours = await stack.enter_async_context(Api(service.url, token))
        opened_there = await open_many(stack, theirs, path, 20)
        refused = await ours.http.get(path)

        process.kill()

        async def one_more() -> bool:
            return (await ours.http.head(path)).status_code == 200

        await until(one_more)

    assert {each.status_code for each in opened_there} == {200}
    assert refused.status_code == 429


async def test_seats_are_given_back_once_the_store_is_there_again(tmp_path: Path) -> None:
    """What could not be said is said then."""
    with running_valkey(tmp_path) as store, capture_logs() as logged:

        async def tried_in_vain() -> bool:
            return any("cannot be kept" in line["event"] for line in logged)

        async with edge(store.url) as service, browser(service, "one") as page:
            path = f"/v1/jobs/{await submitted(service, subject='one')}/stream"
            async with opened(page, path) as response:
                first = await anext(parsed(response.aiter_bytes()))
                store.stop()
            await until(tried_in_vain)
            store.start()

            await until_taken(service.parts.client, 0)

    assert first.event == "snapshot"
