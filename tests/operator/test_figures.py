"""The operator's figures: what they count, that they come by themselves, and what it costs that somebody watches."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from jobs import keys
from jobs.connection import Client
from jobs.model import JsonObject
from jobs.roll import Roll
from service import lookout
from service.auth import OPERATOR_COOKIE
from tests.api import Api, Event, parsed
from tests.jobs import lines
from tests.jobs.doors import Doors, idle_kind
from tests.jobs.patience import until
from tests.operator.asking import CHAT, failed, told
from tests.service.edge import KEYRING, OPERATOR_SECRET, Edge, edge
from tests.valkey import ValkeyProcess

STREAM = "/v1/operator/stream"


@asynccontextmanager
async def watching(operator: Api) -> AsyncIterator[AsyncIterator[Event]]:
    """What the stream says."""
    async with operator.http.stream("GET", STREAM) as answer:
        assert answer.status_code == 200
        async with aclosing(answer.aiter_bytes()) as chunks:
            yield parsed(chunks)


async def until_told(events: AsyncIterator[Event], **jobs: int) -> JsonObject:
    """The figures, once so many jobs are in these states."""
    async for event in events:
        if event.event == "figures" and jobs.items() <= event.data["jobs"].items():
            return event.data
    raise AssertionError("the stream ended before")


async def test_jobs_are_counted_by_what_they_do(operator: Api, doors: Doors) -> None:
    """Whatever way they came there; what has ended counts no more, and what is run again counts again."""
    claim = await doors.running(CHAT, token="w-1")
    await doors.submit(CHAT, delay=60)
    asleep = await doors.running(CHAT, token="w-2")
    await doors.leases.suspend(asleep, until_us=asleep.claimed_us + 60_000_000)
    letter = await failed(doors)
    waiting = [await doors.submit(CHAT) for _ in range(2)]
    await doors.queue.cancel(claim.job_id)
    await Roll(doors.client).sign(
        "host-42-abcd", {"slots": 5, "running": 1, "started_at": "2026-11-22T10:00:00.000Z"}
    )

    before = await told(operator, "figures")
    await doors.append(claim, lines.end("cancelled"))
    await doors.queue.cancel(waiting[0])
    await doors.queue.retry(letter)
    after = await told(operator, "figures")

    assert before["jobs"] == {"queued": 2, "running": 1, "scheduled": 1, "waiting": 1, "retrying": 0, "parked": 0}
    assert after["jobs"] == {"queued": 2, "running": 0, "scheduled": 1, "waiting": 1, "retrying": 0, "parked": 0}
    assert (before["dead"], after["dead"]) == (1, 0)
    assert before["newest"] in waiting  # either, if they came in the same millisecond
    assert before["oldest_waiting"] >= 0
    assert after["changes"] > before["changes"]
    assert before["store"]["state"] == "ok"
    (worker,) = before["workers"]
    assert (worker["host"], worker["pid"], worker["slots"], worker["running"]) == ("host", 42, 5, 1)
    assert worker["started_at"] < worker["seen_at"]


async def test_a_job_that_an_older_worker_ended_is_counted_until_its_log_is_trimmed(
    operator: Api, doors: Doors, redis: Client
) -> None:
    """Such a worker counts nothing, and leaves the job counted where it was; that does not stay for ever."""
    claim = await doors.running(CHAT, token="w-1")
    await doors.append(claim, lines.end(result=None))
    await redis.hset(keys.job(claim.job_id), "counted", "chat running")  # type: ignore[misc]
    await redis.hincrby(keys.COUNTS, "chat running", 1)  # type: ignore[misc]

    before = (await told(operator, "figures"))["jobs"]["running"]
    await redis.zadd(keys.TRIMS, {claim.job_id: 0}, xx=True)
    await doors.log.trim_ended()

    assert (before, (await told(operator, "figures"))["jobs"]["running"]) == (1, 0)


async def test_how_long_the_oldest_waits_counts_from_when_it_fell_due(operator: Api, doors: Doors) -> None:
    """Its head start in the queue is no time that it has waited."""
    assert (await told(operator, "figures"))["oldest_waiting"] is None
    job_id = await doors.submit(CHAT, priority=10)
    score = await doors.client.zscore(keys.QUEUE, job_id)
    assert score is not None
    await doors.client.zadd(keys.QUEUE, {job_id: score - 100_000})

    assert 100 <= (await told(operator, "figures"))["oldest_waiting"] < 160


async def test_what_waits_for_a_place_of_its_kind_is_parked(operator: Api, doors: Doors) -> None:
    """It is queued all the same."""
    narrow = idle_kind("narrow", concurrency=1)
    for _ in range(3):
        await doors.submit(narrow)
    await doors.claim("w-1", slots=10, kinds=[narrow])

    jobs = (await told(operator, "figures"))["jobs"]

    assert (jobs["running"], jobs["queued"], jobs["parked"]) == (1, 2, 2)


async def test_the_stream_says_at_once_how_it_is_and_again_what_changed(operator: Api, doors: Doors) -> None:
    """A job that is submitted, and what becomes of it."""
    async with watching(operator) as events:
        first = await until_told(events, queued=0, running=0)
        job_id = await doors.submit(CHAT)
        second = await until_told(events, queued=1)
        await doors.claim("w-1", kinds=[CHAT])
        third = await until_told(events, queued=0, running=1)

    assert first["newest"] is None
    assert second["newest"] == third["newest"] == job_id
    assert first["changes"] < second["changes"] < third["changes"]


async def test_who_listens_to_this_process_is_counted_by_what_it_speaks(
    operated: Edge, operator: Api, doors: Doors
) -> None:
    """Who watches the figures is one of them; whoever has gone is not."""
    job_id = await doors.submit(CHAT)
    async with watching(operator) as events, aclosing(operator.listen(job_id)) as listening:
        await until_told(events, queued=1)
        await anext(listening)
        during = (await told(operator, "figures"))["streams"]

    async def gone() -> bool:
        return bool((await told(operator, "figures"))["streams"]["sse"] == 0)

    await until(gone)
    assert during == {"sse": 2, "websocket": 0, "long_poll": 0}


async def test_many_who_watch_read_the_store_once(operated: Edge, operator: Api, doors: Doors) -> None:
    """And nobody reads it once the last of them is gone."""
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(watching(operator)) for _ in range(5)]
        for events in streams:
            await until_told(events, queued=0)
        assert operated.parts.desk.lookout.watchers == 5
        looked, began = await looks(doors), time.monotonic()
        await doors.submit(CHAT)
        for events in streams:
            await until_told(events, queued=1)
        taken = time.monotonic() - began
        assert await looks(doors) - looked <= taken / lookout.LOOK_SECONDS + 2
    await until(lambda: _nobody_watches(operated))
    await passed(doors, lookout.LOOK_SECONDS)  # one look may be under way
    looked = await looks(doors)
    await passed(doors, 2 * lookout.LOOK_SECONDS)
    assert await looks(doors) == looked


async def looks(doors: Doors) -> int:
    """How often the figures of the store were read: nobody else asks for the members of a set here."""
    facts = await doors.client.info("commandstats")
    return int(facts.get("cmdstat_smembers", {"calls": 0})["calls"])


async def _nobody_watches(operated: Edge) -> bool:
    return operated.parts.desk.lookout.watchers == 0


async def passed(doors: Doors, seconds: float) -> None:
    """Return when the store's clock is so much further."""
    began, _ = await doors.client.time()

    async def further() -> bool:
        return bool((await doors.client.time())[0] > began + seconds)

    await until(further)


async def test_a_silent_stream_pings_and_one_of_a_process_that_stops_says_bye(
    store: ValkeyProcess, doors: Doors
) -> None:
    """As every stream does."""
    async with (
        edge(store.url, jobstream_operator=True, jobstream_ping_seconds=0.3) as service,
        Api(service.url, OPERATOR_SECRET) as operator,
        watching(operator) as events,
    ):
        heard = [(await anext(events)).event]
        while heard[-1] != "ping":
            heard.append((await anext(events)).event)
        service.parts.feed.stop()
        while heard[-1] != "bye":
            heard.append((await anext(events)).event)

    assert heard[0] == "figures"
    assert set(heard) == {"figures", "ping", "bye"}


async def test_the_stream_ends_with_the_cookie(operated: Edge) -> None:
    """Five seconds before that it says so: a watcher comes back with a fresh one, or not at all."""
    cookie = KEYRING.operator_token(seconds=6).token
    headers = {"Cookie": f"{OPERATOR_COOKIE}={cookie}", "Sec-Fetch-Site": "same-origin"}
    async with Api(operated.url, None) as browser:
        browser.http.headers.update(headers)
        async with watching(browser) as events:
            said = [event async for event in events]

    assert (said[-1].event, said[-1].data) == ("bye", {"reason": "unauthorized"})


async def test_so_many_may_watch_and_no_more(operated: Edge, operator: Api) -> None:
    """One more is told to close a page; when they have gone there is room again."""
    async with AsyncExitStack() as stack:
        for at in range(lookout.MOST_WATCHERS):
            if at % 50 == 0:  # as many as one client has connections
                watcher = await stack.enter_async_context(Api(operated.url, OPERATOR_SECRET))
            await anext(await stack.enter_async_context(watching(watcher)))
        assert (await operator.http.get(STREAM)).status_code == 429
    await until(lambda: _nobody_watches(operated))
    async with watching(operator) as events:
        assert (await anext(events)).event == "figures"
