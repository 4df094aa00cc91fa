"""Deliveries: each run's end is told once it is there, until somebody has it, and to nobody after that."""

import asyncio
from urllib.parse import urlsplit

import pytest

from jobs import keys
from jobs.connection import Client, connect
from jobs.deliveries import Delivery, Try
from jobs.encryption import sealer_of
from jobs.endpoints import Endpoints
from jobs.errors import DeliveryNotFound, InvalidCursor
from jobs.kind import DAY_SECONDS
from jobs.model import JobId
from jobs.signing import Secrets, read_secrets
from jobstream.client import WebhookRefused
from tests.encryption.holdings import everything
from tests.encryption.keys import FIRST
from tests.jobs.doors import Doors, idle_kind
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.valkey import ValkeyProcess
from tests.webhooks.conftest import FAILURE, Office
from tests.webhooks.receiver import OTHER_SECRET, SECRET, SECRETS, Receiver, never, receiving, status
from workers.answers import LONGEST_WAIT_SECONDS, RETRY_SECONDS
from workers.courier import AT_ONCE_OF_ONE_HOST

CANARY = "canary-in-a-query"


async def test_an_end_is_told_once(office: Office, receiver: Receiver) -> None:
    """Signed, as JSON, with what the submitter gave, and a link instead of the result."""
    job_id = await office.ended(f"{receiver.url}?to=me", subject="one", metadata={"order": "7"})
    snapshot = await office.doors.snapshot(job_id)
    async with office.courier():
        story = await office.until(job_id, "delivered")

    (came,) = receiver.came
    assert came.told() == {
        "type": "job.completed",
        "timestamp": snapshot["finished_at"],
        "data": {
            "id": job_id,
            "kind": "idle",
            "state": "completed",
            "run": 1,
            "subject": "one",
            "metadata": {"order": "7"},
            "finished_at": snapshot["finished_at"],
            "error": None,
            "links": {"self": f"/v1/jobs/{job_id}"},
        },
    }
    assert (came.line, came.headers["content-type"]) == ("POST /hook?to=me HTTP/1.1", "application/json")
    assert (story.status, story.error, story.next_at, story.url) == (204, None, None, receiver.url)


async def test_a_failure_is_told_by_its_name(office: Office, receiver: Receiver) -> None:
    """And not by what it says."""
    job_id = await office.ended(receiver.url, state="failed")
    async with office.courier():
        await office.until(job_id, "delivered")

    told = receiver.came[0].told()
    assert (told["type"], told["data"]["error"]) == ("job.failed", {"type": FAILURE.type, "title": FAILURE.title})


async def test_every_way_to_end_is_told(office: Office, receiver: Receiver) -> None:
    """Cancelled while it waits, cancelled while it runs and its worker is gone, and called poison."""
    doors = office.doors
    waiting = await office.submit(receiver.url)
    await doors.queue.cancel(waiting)
    running = await office.submit(receiver.url)
    (claim,) = await doors.claim("first")
    await doors.queue.cancel(running)
    await doors.leases.release(claim)
    poison = await office.submit(receiver.url)
    for worker in range(4):
        for lost in await doors.claim(f"worker{worker}-1"):
            await doors.lose(lost)
    async with office.courier():
        await receiver.until(3)

    told = {came.told()["data"]["id"]: came.told() for came in receiver.came}
    assert {job_id: each["type"] for job_id, each in told.items()} == {
        waiting: "job.cancelled",
        running: "job.cancelled",
        poison: "job.failed",
    }
    assert told[poison]["data"]["error"] == {"type": "poison", "title": "The job kills its workers"}


async def test_a_job_without_a_webhook_leaves_no_delivery(office: Office, redis: Client) -> None:
    claim = await office.doors.running()
    await office.doors.queue.cancel(claim.job_id)
    await office.doors.leases.release(claim)

    assert [name async for name in redis.scan_iter("*deliver*")] == []


async def test_a_run_by_hand_is_told_with_an_id_of_its_own(office: Office, receiver: Receiver) -> None:
    job_id = await office.submit(receiver.url)
    for _ in range(2):
        await office.doors.queue.cancel(job_id)
        await office.doors.queue.retry(job_id)
    async with office.courier():
        await receiver.until(2)

    assert [(came.id, came.told()["data"]["run"]) for came in receiver.came] == [
        (f"{job_id}-1", 1),
        (f"{job_id}-2", 2),
    ]


async def test_a_delivery_that_fails_is_tried_again_with_the_same_id_and_body(
    office: Office, receiver: Receiver
) -> None:
    """A redirect is a failure, too; each try has its own time and signature."""
    receiver.answers = [status(500), status(302, Location="http://127.0.0.1:1/"), status(404)]
    job_id = await office.ended(receiver.url)
    async with office.courier():
        for attempt, code in enumerate((500, 302, 404), start=1):
            story = await office.until(job_id, "pending", attempt=attempt)
            assert (story.status, story.error) == (code, f"The endpoint answered {code}.")
            assert story.next_at is not None
            await office.fall_due()
        await office.until(job_id, "delivered", attempt=4)

    assert len(receiver.came) == 4
    assert {came.id for came in receiver.came} == {f"{job_id}-1"}
    assert len({came.body for came in receiver.came}) == 1
    assert all(came.told() for came in receiver.came)


async def test_a_delivery_is_given_up_after_days(office: Office, receiver: Receiver) -> None:
    """After one try for each pause, and one more."""
    receiver.answers = [status(500)] * (len(RETRY_SECONDS) + 1)
    job_id = await office.ended(receiver.url)
    async with office.courier():
        for attempt in range(1, len(RETRY_SECONDS) + 1):
            await office.until(job_id, "pending", attempt=attempt)
            await office.fall_due()
        story = await office.until(job_id, "failed", attempt=len(RETRY_SECONDS) + 1)

    assert (story.status, story.next_at) == (500, None)
    assert 2 * DAY_SECONDS < sum(RETRY_SECONDS) < 5 * DAY_SECONDS


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("1000", 1000, 1010), ("99999999999", LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS + 10), ("soon", 0, 10)],
)
async def test_an_endpoint_may_ask_for_time(
    asked: str, least: float, most: float, office: Office, receiver: Receiver
) -> None:
    """A day at most; what cannot be read counts for nothing."""
    receiver.answers = [status(503, Retry_After=asked)]
    job_id = await office.ended(receiver.url)
    async with office.courier():
        await office.until(job_id, "pending")

    name = keys.delivery(f"{job_id}-1")
    next_ms, at_us = await office.doors.client.hmget(name, ["next_ms", "at_us"])  # type: ignore[misc]
    assert least - 0.001 <= int(next_ms) / 1000 - int(at_us) / 1e6 <= most


async def test_an_endpoint_that_is_gone_is_told_no_more_of_the_job(office: Office, receiver: Receiver) -> None:
    """Neither of another run, nor of one that it was still to be told of; by hand it can be tried again."""
    receiver.answers = [status(500), status(410)]
    job_id = await office.ended(receiver.url, state="failed")
    async with office.courier():
        await office.until(job_id, "pending")
        await run_again(office, job_id)
        await office.until(job_id, "disabled")
        await run_again(office, job_id)
        assert [(each.id, each.state) for each in await office.webhooks.of_job(job_id)] == [
            (f"{job_id}-2", "disabled"),
            (f"{job_id}-1", "disabled"),
        ]
        assert await office.doors.client.zcard(keys.DUE + await host_of(office, job_id)) == 0
        await office.webhooks.again(f"{job_id}-1")
        await receiver.until(3)

    assert [came.id for came in receiver.came] == [f"{job_id}-1", f"{job_id}-2", f"{job_id}-1"]


async def test_a_try_under_way_does_not_bring_back_what_its_endpoint_wants_no_more(
    office: Office, receiver: Receiver
) -> None:
    """Two runs are told of at once: one is answered with 410, and after it the other fails."""
    job_id = await office.ended(receiver.url, state="failed")
    await run_again(office, job_id)
    first, second = await both_taken(office)

    await office.webhooks.settle(second, Try("disabled", 410, "gone"))
    await office.webhooks.settle(first, Try("pending", 500, "try again", delay_seconds=0))

    assert [each.state for each in await office.webhooks.of_job(job_id)] == ["disabled", "disabled"]
    assert await office.doors.client.zcard(keys.DUE + await host_of(office, job_id)) == 0


async def both_taken(office: Office) -> list[Delivery]:
    """Two deliveries, each as soon as it is due."""
    taken: list[Delivery] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(taken) < 2:
            taken += await office.webhooks.take(slots=2, most_of_one=2, token=f"take-{len(taken)}", busy=[])
    return taken


async def run_again(office: Office, job_id: JobId) -> None:
    """One more run of the job, cancelled."""
    await office.doors.queue.retry(job_id)
    await office.doors.queue.cancel(job_id)


async def host_of(office: Office, job_id: JobId) -> str:
    """What stands for the host of the job's first delivery."""
    held = await office.doors.client.hget(keys.delivery(f"{job_id}-1"), "host")  # type: ignore[misc]
    return str(held.decode())


async def test_a_dead_endpoint_hinders_no_other(office: Office, receiver: Receiver) -> None:
    """It holds a few calls at most, however much there is to tell it, and the others go on beside them."""
    async with receiving() as dead:
        office.endpoints = Endpoints(SECRETS, [receiver.place, dead.place])
        dead.answers = [never] * 100
        for _ in range(30):
            await office.ended(dead.url)
        alive = [await office.ended(receiver.url) for _ in range(10)]
        async with office.courier(call_seconds=60):
            for job_id in alive:
                await office.until(job_id, "delivered")
            assert len(dead.came) == AT_ONCE_OF_ONE_HOST


async def test_hosts_take_turns(office: Office, redis: Client) -> None:
    """One with much to hear does not go before others all the time, however long that was due."""
    for path in range(4):
        await office.ended(f"https://many.example.com/{path}")
    await office.fall_due()
    later = await office.ended("https://few.example.com/")
    await redis.zadd(keys.HOSTS, {await host_of(office, later): 2})

    taken = [await office.webhooks.take(slots=1, most_of_one=4, token="one", busy=[]) for _ in range(5)]

    hosts = [urlsplit(each.url).hostname for deliveries in taken for each in deliveries]
    assert hosts == ["many.example.com", "few.example.com", *["many.example.com"] * 3]


async def test_the_many_deliveries_of_one_host_all_arrive(office: Office, receiver: Receiver) -> None:
    job_ids = [await office.ended(receiver.url) for _ in range(30)]
    async with office.courier(), office.courier():
        came = await receiver.until(30)

    assert sorted(each.id for each in came) == sorted(f"{job_id}-1" for job_id in job_ids)


async def test_a_delivery_whose_courier_is_gone_is_made_by_another(office: Office, receiver: Receiver) -> None:
    """Once the lease of the first one is over; who lost it notes nothing any more."""
    job_id = await office.ended(receiver.url)
    (lost,) = await office.webhooks.take(slots=1, most_of_one=1, token="lost", busy=[])
    assert await office.webhooks.take(slots=1, most_of_one=1, token="other", busy=[]) == []
    await office.fall_due()
    async with office.courier():
        await office.until(job_id, "delivered")
    await office.webhooks.settle(lost, Try("failed", 500, "too late"))

    assert (await office.story(job_id)).state == "delivered"


async def test_a_job_may_be_gone_before_its_end_is_told(office: Office, receiver: Receiver) -> None:
    """What is to be told is kept by itself, and has an end of its own."""
    receiver.answers = [status(500)]
    kind = idle_kind(retention_seconds=1)
    job_id = await office.doors.submit(kind, webhook=office.endpoints.read(receiver.url))
    await office.doors.queue.cancel(job_id)
    async with office.courier():
        await office.until(job_id, "pending")
        await until(lambda: gone(office, job_id))
        left = await office.doors.lifetimes()
        await office.fall_due()
        await office.until(job_id, "delivered", attempt=2)

    assert all(0 < seconds < 40 * DAY_SECONDS for seconds in left.values()), left
    assert left[keys.delivery(f"{job_id}-1")] > 6 * DAY_SECONDS


async def test_a_delivery_is_kept_for_a_week_after_its_last_try_and_while_it_waits(
    office: Office, receiver: Receiver, redis: Client
) -> None:
    receiver.answers = [status(503, Retry_After="80000")]
    job_id = await office.ended(receiver.url)
    names = [keys.delivery(f"{job_id}-1"), keys.deliveries(job_id)]
    for name in names:
        await redis.expire(name, 600)
    async with office.courier():
        await office.until(job_id, "pending")

    assert [await redis.ttl(name) > 7 * DAY_SECONDS + 79_000 for name in names] == [True, True]


async def gone(office: Office, job_id: JobId) -> bool:
    return not await office.doors.client.exists(keys.job(job_id))


async def test_what_is_to_be_told_is_forgotten_with_its_job_and_its_subject(office: Office, redis: Client) -> None:
    """Also where the job has expired before; and nothing is told of one that went on while it was forgotten."""
    url = "https://hooks.example.com/in"
    deleted = await office.ended(url, subject="one")
    expired = await office.ended(url, subject="one")
    running = await office.submit(url, subject="one")
    (claim,) = await office.doors.claim("first")
    of_the_expired = [name async for name in redis.scan_iter(f"{keys.PREFIX}{expired}:*")]
    await redis.delete(*(name for name in of_the_expired if name.decode() != keys.deliveries(expired)))

    await office.doors.queue.forget(deleted)
    await office.doors.queue.forget_subject("one")
    await office.doors.leases.release(claim)

    names = [name.decode() async for name in redis.scan_iter()]
    assert [name for name in names if deleted in name or expired in name] == []
    assert [name for name in names if name.startswith((keys.DELIVERY, keys.DUE, keys.DELIVERIES))] == []
    assert await office.webhooks.of_job(running) == []


async def test_two_secrets_both_sign_and_one_host_may_have_its_own(office: Office, receiver: Receiver) -> None:
    """So that receivers change from one to the other when they like."""
    for secrets in (f"{SECRET},{OTHER_SECRET}", f"{SECRET},127.0.0.1={OTHER_SECRET}"):
        job_id = await office.ended(receiver.url)
        async with office.courier(secrets=read_secrets(secrets)):
            await office.until(job_id, "delivered")

    both, own = receiver.came
    assert both.told(SECRET) == both.told(OTHER_SECRET)
    assert own.told(OTHER_SECRET)
    with pytest.raises(WebhookRefused):
        own.told(SECRET)


async def test_a_delivery_that_nothing_signs_waits_and_says_what_to_set(office: Office, receiver: Receiver) -> None:
    job_id = await office.ended(receiver.url)
    async with office.courier(secrets=Secrets()):
        story = await office.until(job_id, "pending")

    assert receiver.came == []
    assert "JOBSTREAM_WEBHOOK_SECRET" in (story.error or "")


async def test_metadata_that_makes_it_too_large_is_left_out(office: Office, receiver: Receiver) -> None:
    job_id = await office.ended(receiver.url, metadata={str(number): "x" * 512 for number in range(32)})
    large = await office.ended(receiver.url, metadata={str(number): "\N{EURO SIGN}" * 512 for number in range(32)})
    async with office.courier():
        await office.until(job_id, "delivered")
        await office.until(large, "delivered")

    kept = {came.id: came.told()["data"]["metadata"] for came in receiver.came}
    assert len(kept[f"{job_id}-1"]) == 32
    assert kept[f"{large}-1"] is None
    assert max(len(came.body) for came in receiver.came) < 20_480


async def test_the_log_of_deliveries_is_read_page_by_page(office: Office) -> None:
    """Newest first, none twice and none left out; a cursor of another form is refused."""
    job_ids = [await office.ended(f"https://hooks.example.com/in?secret={CANARY}") for _ in range(5)]
    pages, cursor = [], None
    while True:
        page, cursor = await office.webhooks.newest(limit=2, after=cursor)
        pages.append(page)
        if cursor is None:
            break

    listed = [story for page in pages for story in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(story.job_id for story in listed) == sorted(job_ids)
    assert [story.at for story in listed] == sorted((story.at for story in listed), reverse=True)
    assert {story.url for story in listed} == {"https://hooks.example.com/in"}
    with pytest.raises(InvalidCursor):
        await office.webhooks.newest(limit=2, after="x")


async def test_a_delivery_that_never_was_cannot_be_made_again(office: Office) -> None:
    with pytest.raises(DeliveryNotFound):
        await office.webhooks.again("never-1")


async def test_a_sealed_delivery_is_told_and_the_store_learns_nothing_of_it(
    store: ValkeyProcess, redis: Client, receiver: Receiver
) -> None:
    """Neither where it goes nor why the job failed."""
    async with connect(store.url, sealer=sealer_of(FIRST)) as client:
        office = Office(Doors(client), Endpoints(SECRETS, [receiver.place]))
        job_id = await office.ended(f"{receiver.url}?to={CANARY}", state="failed", subject="one")
        held = await everything(redis)
        async with office.courier():
            story = await office.until(job_id, "delivered")
        held += await everything(redis)

    assert receiver.came[0].line == f"POST /hook?to={CANARY} HTTP/1.1"
    assert receiver.came[0].told()["data"]["error"]["title"] == FAILURE.title
    assert story.url == receiver.url
    for secret in (CANARY, receiver.place, "/hook", FAILURE.title, FAILURE.detail):
        assert secret.encode() not in held


async def test_a_delivery_whose_url_cannot_be_opened_holds_up_no_other(
    store: ValkeyProcess, redis: Client, receiver: Receiver
) -> None:
    async with connect(store.url, sealer=sealer_of(FIRST)) as client:
        sealed = await Office(Doors(client), Endpoints(SECRETS, [receiver.place])).ended(receiver.url)
    async with connect(store.url) as client:
        office = Office(Doors(client), Endpoints(SECRETS, [receiver.place]))
        plain = await office.ended(receiver.url)
        async with office.courier():
            await office.until(plain, "delivered")
            story = await office.until(sealed, "pending")

    assert story.error == "The URL is not allowed, or cannot be opened."
