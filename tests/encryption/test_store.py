"""Jobs whose contents are sealed: readers are told the same, the store learns nothing, and nothing is believed that
somebody put there."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace as changed
from typing import Any

import pytest
from httpx2 import RemoteProtocolError, Response
from pydantic import JsonValue
from redis.asyncio.client import PubSub
from structlog.testing import capture_logs

from jobs import keys
from jobs.connection import Client, connect
from jobs.dead_letters import DeadLetters
from jobs.encryption import UNSEALED, sealer_of
from jobs.errors import IdempotencyKeyReused, IntegrityError, StoreUnsuitable
from jobs.events import Event, EventId, Events, outgoing
from jobs.kind import AnyKind, Kind, Run
from jobs.leases import Claim
from jobs.log import Line
from jobs.model import Failure, JobId, JsonObject, Value
from jobs.queue import Submission
from jobs.store import check_keys
from jobs.updates import Cursor, utf16_length
from tests.api import Api
from tests.encryption.holdings import Holding, everything, holdings, replace
from tests.encryption.keys import FIRST, SECOND
from tests.figures import Say
from tests.jobs import lines
from tests.jobs.doors import Doors, Nothing, replayed
from tests.jobs.patience import PATIENCE_SECONDS
from tests.service.serving import serving
from tests.system import SECRET
from tests.valkey import ValkeyProcess
from tests.workers.workshop import Workshop

CANARY = "canary-that-sings-𝄞"
LENGTH = utf16_length(CANARY)
TOLD = Failure(type="provider-failed", title="No answer", detail=f"It said {CANARY}.", retryable=True)


class Given(Value):
    """What a job is given."""

    said: str


async def _nothing(_run: object, _input: object) -> None:
    return None


KIND: AnyKind = Kind(name="sealed", input=Given, perform=_nothing, summary="A test's.")


async def submit(doors: Doors, *, subject: str = "somebody", said: str = CANARY, **more: Any) -> JobId:
    """A job that is given the canary."""
    return (await doors.queue.submit(Submission(KIND, {"said": said}, subject=subject, **more))).job_id


async def running(doors: Doors, worker: str = "first", **more: Any) -> Claim:
    """The same, claimed; no other may be due."""
    await submit(doors, **more)
    (claim,) = await doors.claim(worker, kinds=[KIND])
    return claim


def story_so_far() -> list[list[Line]]:
    """A job that says the canary wherever it can say anything."""
    spoken = b'{"percent":1,"message":"%s"}' % CANARY.encode()
    return [
        [lines.step("read"), lines.kept("read", {"found": CANARY}), Line("progress", spoken, value=spoken)],
        [lines.begun("openai"), lines.wrote("openai", CANARY, at=0), lines.wrote("openai", "!", at=LENGTH)],
        [lines.begun("google"), lines.wrote("google", CANARY, at=0), lines.completed("google", CANARY)],
    ]


async def write(doors: Doors, claim: Claim, *, failed: bool = False) -> None:
    """The whole story, with its end."""
    for flush in story_so_far():
        await doors.append(claim, *flush)
    end = lines.end("failed", failure=TOLD) if failed else lines.end(result={"found": CANARY})
    await doors.append(claim, end)


def comparable(snapshot: JsonObject) -> JsonObject:
    """What does not depend on when it was, and on which job it is."""
    own = ("id", "cursor", "created_at", "started_at", "finished_at", "expires_at")
    return {name: value for name, value in snapshot.items() if name not in own}


@pytest.mark.parametrize("end", ["completed", "failed"])
async def test_a_sealed_job_reads_like_any_other(end: str, sealed: Doors, doors: Doors) -> None:
    """As a snapshot, from the log, page by page and entry by entry."""
    told = []
    for each in (doors, sealed):
        claim = await running(each)
        first = await each.snapshot(claim.job_id)
        await write(each, claim, failed=end == "failed")
        story = await each.log.story(claim.job_id)
        page = await each.log.page(claim.job_id, None, most=100)
        read = await each.log.read(claim.job_id, Cursor.parse(first["cursor"]))
        assert replayed(first, page.entries) == story.snapshot
        assert read is not None
        assert read.entries == page.entries[-len(read.entries) :]
        told.append((comparable(story.snapshot), [each.event for each in page.entries]))

    assert told[0] == told[1]


async def test_the_store_holds_and_announces_nothing_that_was_said(sealed: Doors, redis: Client) -> None:
    """A job that retries, fails, and is run again; an event on its way; what goes through the channels."""
    async with redis.pubsub() as subscription:
        await subscription.psubscribe("*")
        await subscription.get_message(timeout=PATIENCE_SECONDS)
        claim = await running(sealed, idempotency_key="a-key")
        await sealed.leases.postpone(claim, delay_seconds=1, error=TOLD)
        await sealed.fall_due(claim.job_id)
        (claim,) = await sealed.claim("second", kinds=[KIND])
        await write(sealed, claim, failed=True)
        await sealed.queue.retry(claim.job_id, parts=frozenset({"openai"}))
        event = Event("heard", {"said": CANARY}, subject="somebody")
        await redis.rpush(keys.OUTBOX, outgoing(EventId("an-event"), event, sealed.client.sealer))  # type: ignore[misc]
        heard = await _heard(subscription)

    held = await everything(redis)
    assert heard.count(b"enc:v1:") > 10

    for trace in ("canary", CANARY.encode().hex(), lines.completed("google", CANARY).head.rpartition("|")[2]):
        assert trace.encode() not in held
        assert trace.encode() not in heard
    assert b"openai" in held
    assert b"|delta|" in heard


async def test_what_live_readers_are_brought_is_what_the_log_holds(sealed: Doors, redis: Client) -> None:
    """The messages of the channel, opened by a process that has read whose job it is."""
    async with redis.pubsub() as subscription:
        await subscription.psubscribe(f"{keys.PREFIX}*:channel")
        await subscription.get_message(timeout=PATIENCE_SECONDS)
        claim = await running(sealed)
        await write(sealed, claim)
        messages = [message["data"] async for message in _messages(subscription)]

    assert sealed.log.announced(claim.job_id, messages[-2]) is None
    await sealed.log.head(claim.job_id)
    told = [sealed.log.announced(claim.job_id, each) for each in messages]
    assert [each and each[1] for each in told] == await sealed.entries(claim.job_id)
    assert sealed.log.announced(claim.job_id, messages[-2][:-9]) is None
    assert sealed.log.announced(claim.job_id, b"no message") is None


async def test_a_worker_is_given_what_earlier_attempts_kept(sealed: Doors) -> None:
    claim = await running(sealed)
    for flush in story_so_far():
        await sealed.append(claim, *flush)
    await sealed.leases.release(claim)

    (again,) = await sealed.claim("second", kinds=[KIND])

    assert again.readable
    assert CANARY.encode() in again.input
    assert CANARY.encode() in again.kept["read"]
    assert again.parts["google"]["state"] == "completed"
    assert again.progress["message"] == CANARY


async def test_a_dead_letter_tells_what_it_was_given_and_how_it_failed(sealed: Doors) -> None:
    claim = await running(sealed)
    await sealed.leases.postpone(claim, delay_seconds=1, error=TOLD)
    await sealed.fall_due(claim.job_id)
    (claim,) = await sealed.claim("second", kinds=[KIND])
    waiting = await sealed.snapshot(claim.job_id)
    await write(sealed, claim, failed=True)

    letter = await DeadLetters(sealed.client).inspect(claim.job_id)

    assert letter["input"] == {"said": CANARY}
    assert [failure["error"] for failure in letter["failures"]] == [TOLD.model_dump()] * 2
    assert waiting["error"] is None
    assert (await sealed.snapshot(claim.job_id))["error"] == TOLD.model_dump()


async def test_a_job_that_the_store_itself_ends_can_be_read(sealed: Doors) -> None:
    """By whom it was cancelled it does not know, nor what a poisoned one held: there is nothing to seal."""
    cancelled = await submit(sealed)
    await sealed.queue.cancel(cancelled)
    poisoned = await submit(sealed)
    for worker in ("one", "two", "three"):
        (claim,) = await sealed.claim(f"{worker}-1", kinds=[KIND])
        await sealed.lose(claim)
    assert await sealed.claim("four-1", kinds=[KIND]) == []

    assert (await sealed.snapshot(cancelled))["state"] == "cancelled"
    assert (await sealed.snapshot(poisoned))["error"]["type"] == "poison"
    letter = await DeadLetters(sealed.client).inspect(poisoned)
    assert letter["failures"][-1]["error"]["type"] == "poison"


async def test_every_part_of_a_job_can_be_run_again_from_where_it_is(sealed: Doors) -> None:
    claim = await running(sealed)
    await write(sealed, claim)

    await sealed.queue.retry(claim.job_id, parts=frozenset({"openai"}))
    (again,) = await sealed.claim("second", kinds=[KIND])
    await sealed.append(again, lines.begun("openai", attempt=2), lines.wrote("openai", "anew", at=0))
    await sealed.append(again, lines.completed("openai", "anew", attempt=2))
    await sealed.append(again, lines.end(result=1))

    snapshot = await sealed.snapshot(claim.job_id)
    assert [part["text"] for part in snapshot["parts"].values()] == ["anew", CANARY]
    assert snapshot["result"] == 1
    assert replayed(await first_of(sealed, claim), await sealed.entries(claim.job_id)) == snapshot


async def first_of(doors: Doors, claim: Claim) -> JsonObject:
    """The job as it was submitted, out of what it is now: nothing of it had happened."""
    snapshot, (first, *_) = await doors.snapshot(claim.job_id), await doors.entries(claim.job_id)
    nothing: JsonObject = {
        "progress": {},
        "parts": {},
        "steps": [],
        "result": None,
        "error": None,
        "started_at": None,
    }
    return snapshot | nothing | {"seq": first.seq, "cursor": str(first.cursor), "run": 1, "attempt": 0}


async def test_an_event_reaches_its_kind_and_its_key_is_remembered(sealed: Doors) -> None:
    events = Events(sealed.client, {KIND.name: KIND})
    event = Event(KIND.name, {"said": CANARY}, subject="somebody")
    await sealed.client.rpush(keys.OUTBOX, outgoing(EventId("an-event"), event, sealed.client.sealer))  # type: ignore[misc]

    await events.relay()
    sent = await events.send(event, idempotency_key="a-key")

    (claim,) = await sealed.claim("first", kinds=[KIND])
    assert CANARY.encode() in claim.input
    assert await events.send(event, idempotency_key="a-key") == sent
    with pytest.raises(IdempotencyKeyReused):
        await events.send(changed(event, data={"said": "other"}), idempotency_key="a-key")


async def test_an_event_that_was_changed_on_its_way_starts_nothing(sealed: Doors) -> None:
    """Nor one that somebody put there unsealed, or for another subject."""
    sealer = sealed.client.sealer
    event = Event(KIND.name, {"said": CANARY}, subject="somebody")
    sent = outgoing(EventId("an-event"), event, sealer)
    forged = [sent.replace(b'"somebody"', b'"anybody"'), sent.replace(b"an-event", b"my-event")]
    forged += [outgoing(EventId("an-event"), event, UNSEALED)]
    await sealed.client.rpush(keys.OUTBOX, *forged)  # type: ignore[misc]

    await Events(sealed.client, {KIND.name: KIND}).relay()

    assert await sealed.claim("first", kinds=[KIND]) == []


async def test_a_repeat_finds_its_job_after_every_rotation(sealed: Doors, store: ValkeyProcess) -> None:
    """Under the key that the job was submitted with, and under the one that came then."""
    job_id = await submit(sealed, idempotency_key="a-key")

    async with connect(store.url, sealer=sealer_of(f"{SECOND},{FIRST}")) as client:
        rotated = Doors(client)
        assert await submit(rotated, idempotency_key="a-key") == job_id
        with pytest.raises(IdempotencyKeyReused):
            await submit(rotated, idempotency_key="a-key", said="something else")
        later = await submit(rotated, idempotency_key="a-later-key")
        assert await submit(rotated, idempotency_key="a-later-key") == later


async def test_keys_can_be_rotated_while_a_job_is_written(sealed: Doors, store: ValkeyProcess) -> None:
    """What the old key sealed is read beside what the new one seals; without the old one, nothing of the job is."""
    claim = await running(sealed)
    first, *later = story_so_far()
    await sealed.append(claim, *first)
    await sealed.leases.release(claim)

    async with connect(store.url, sealer=sealer_of(f"{SECOND},{FIRST}")) as client:
        rotated = Doors(client)
        (again,) = await rotated.claim("second", kinds=[KIND])
        for flush in later:
            await rotated.append(again, *flush)
        await rotated.append(again, lines.end(result={"found": CANARY}))
        snapshot = await rotated.snapshot(claim.job_id)
        entries = await rotated.entries(claim.job_id)
        assert replayed(await first_of(rotated, claim), entries) == snapshot

    assert snapshot["result"] == {"found": CANARY}
    async with connect(store.url, sealer=sealer_of(SECOND)) as client:
        with pytest.raises(IntegrityError):
            await Doors(client).snapshot(claim.job_id)
    async with connect(store.url) as client:
        with pytest.raises(IntegrityError):
            await Doors(client).snapshot(claim.job_id)


async def test_nothing_that_is_changed_in_the_store_is_believed(sealed: Doors) -> None:
    """Each sealed value in turn: a byte of it changed, the same field of another job in its place, another field of
    this job, or plain words."""
    claim, other = await two_jobs(sealed)
    others = {each.place: each.value for each in await holdings(sealed.client, other)}
    own = [each for each in await holdings(sealed.client, claim.job_id) if each.sealed]
    refused = 0

    for holding in own:
        for forged in forgeries(holding, others, own):
            await replace(sealed.client, claim.job_id, holding, forged)
            with pytest.raises(IntegrityError):
                await read_all(sealed, claim.job_id)
            refused += 1
        await replace(sealed.client, claim.job_id, holding, holding.value)
    await read_all(sealed, claim.job_id)

    assert {each.place[1] for each in own} >= {"input", "job", "log", "parts", "steps", "kept", "texts", "failures"}
    assert refused > 3 * len(own)


async def two_jobs(doors: Doors) -> tuple[Claim, JobId]:
    """Two jobs of one subject that went the same way: postponed once, then failed; the first could be run again."""
    other = await failed_once(doors, "other")
    await write(doors, other, failed=True)
    claim = await failed_once(doors, "first")
    await write(doors, claim, failed=True)
    return claim, other.job_id


async def failed_once(doors: Doors, worker: str) -> Claim:
    claim = await running(doors, worker)
    await doors.leases.postpone(claim, delay_seconds=1, error=TOLD)
    await doors.fall_due(claim.job_id)
    (claim,) = await doors.claim(f"{worker}-again", kinds=[KIND])
    return claim


def forgeries(holding: Holding, others: dict[tuple[str, str, str], bytes], own: list[Holding]) -> list[bytes]:
    """What somebody might put there; a value that stands inside of plain facts is changed inside of them."""
    start = holding.value.index(b"enc:")
    flipped = bytearray(holding.value)
    flipped[start + 40] ^= 1
    found = [bytes(flipped), others[holding.place]]
    if start == 0:
        whole = [each for each in own if each.value.startswith(b"enc:")]
        found += [each.value for each in whole if each.place[1] != holding.place[1]][:2]
        found += [b'{"said":"forged"}']
    else:
        found += [re.sub(rb"enc:[^,}]+", b'"forged"', holding.value)]
    return found


async def read_all(doors: Doors, job_id: JobId) -> None:
    """Read all of the job that anybody reads: clients, and the worker of a further run, up to the end of that."""
    await doors.snapshot(job_id)
    await DeadLetters(doors.client).inspect(job_id)
    await doors.log.page(job_id, None, most=1000)
    async with undone(doors.client):
        await doors.client.hset(keys.job(job_id), "state", "queued")  # type: ignore[misc]
        await doors.client.zadd(keys.QUEUE, {job_id: 0})
        (again,) = await doors.claim(f"looker-{secrets.token_hex(4)}", kinds=[KIND])
        if not again.readable:
            raise IntegrityError
        await doors.append(again, lines.end(result={"found": CANARY}))
        await doors.snapshot(job_id)


@asynccontextmanager
async def undone(client: Client) -> AsyncIterator[None]:
    """What happens in the block has not happened to the store."""
    saved = {name: await client.dump(name) for name in [name async for name in client.scan_iter()]}
    try:
        yield
    finally:
        await client.flushall()
        for name, value in saved.items():
            await client.restore(name, 0, value)


async def test_a_job_whose_record_names_another_subject_is_not_shown_to_that_one(sealed: Doors) -> None:
    """Who can write to the store cannot make a job their own, and read it by the service."""
    claim = await running(sealed)
    await sealed.append(claim, lines.progress(1))
    await sealed.client.hset(keys.job(claim.job_id), "subject", "thief")  # type: ignore[misc]
    thiefs = Doors(sealed.client)  # a process that has not read the job before

    assert (await thiefs.log.head(claim.job_id)).subject == "thief"
    with pytest.raises(IntegrityError):
        await thiefs.snapshot(claim.job_id)
    with pytest.raises(IntegrityError):
        await thiefs.log.page(claim.job_id, None, most=10)


async def test_one_who_knows_whose_job_it_is_sees_that_it_changed_hands(sealed: Doors) -> None:
    job_id = await submit(sealed)
    await sealed.log.head(job_id)
    await sealed.client.hset(keys.job(job_id), "subject", "thief")  # type: ignore[misc]

    with pytest.raises(IntegrityError):
        await sealed.log.head(job_id)


async def test_a_job_from_before_is_read_while_it_is_migrated_and_refused_after(
    doors: Doors, store: ValkeyProcess
) -> None:
    """Switched on in the middle of a job: what it wrote before stays as it is."""
    claim = await running(doors, idempotency_key="a-key")
    first, *later = story_so_far()
    await doors.append(claim, *first)
    await doors.leases.release(claim)

    async with connect(store.url, sealer=sealer_of(FIRST, migrating=True)) as client:
        migrating = Doors(client)
        (again,) = await migrating.claim("second", kinds=[KIND])
        assert again.readable
        for flush in later:
            await migrating.append(again, *flush)
        await migrating.append(again, lines.end(result={"found": CANARY}))
        assert (await migrating.snapshot(claim.job_id))["parts"]["openai"]["text"] == CANARY + "!"
        assert await submit(migrating, idempotency_key="a-key") == claim.job_id
    async with connect(store.url, sealer=sealer_of(FIRST)) as client:
        with pytest.raises(IntegrityError):
            await Doors(client).snapshot(claim.job_id)


async def test_a_worker_without_the_key_fails_the_job_and_one_with_it_can_run_it_again(
    sealed: Doors, store: ValkeyProcess
) -> None:
    """Nothing of it is lost meanwhile, and nothing is made up."""
    told: list[str] = []

    async def hear(_run: object, given: Given) -> None:
        told.append(given.said)

    kind: AnyKind = Kind(name=KIND.name, input=Given, perform=hear, summary="A test's.")
    job_id = await submit(sealed)
    async with connect(store.url, sealer=sealer_of(SECOND)) as client:
        failed = await Workshop(Doors(client), kinds={kind.name: kind}).attempt()
    async with connect(store.url, sealer=sealer_of(f"{SECOND},{FIRST}")) as client:
        both = Doors(client)
        await both.queue.retry(job_id)
        ended = await Workshop(both, kinds={kind.name: kind}).attempt()

    assert (failed["state"], failed["error"]["type"]) == ("failed", "corrupt")
    assert (ended["state"], ended["error"]) == ("completed", None)
    assert told == [CANARY]


async def test_a_job_that_meets_contents_which_cannot_be_opened_is_corrupt(sealed: Doors) -> None:
    """Not its own, and so not found when it began: trying again would not help."""
    other = await sealed.submit()
    await sealed.client.set(keys.payload(other), b'{"said":"forged"}', keepttl=True)

    async def perform(run: Run, _given: Nothing) -> JsonValue:
        return await run.input_of(other)

    workshop = Workshop(sealed)
    await workshop.submit(perform)
    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"], ended["attempt"]) == ("failed", "corrupt", 1)
    assert "forged" not in repr(ended)


async def test_who_reads_a_job_that_was_changed_is_told_of_the_fault_and_nothing_else(
    sealed: Doors, store: ValkeyProcess
) -> None:
    """A poll is 500, a stream breaks off: none shows what somebody put there, or what was there before."""
    async with serving(store.url, sealer=sealer_of(FIRST)) as service, Api(service.url, SECRET) as api:
        job = await api.submit(CANARY)
        with capture_logs():  # what it says of the fault is long
            polled, streamed = await polled_and_streamed(sealed, api, job["id"])

    assert (polled.status_code, polled.json()["type"]) == (500, "/problems/integrity-error")
    assert "forged" not in polled.text + streamed.decode()
    assert b"data:" not in streamed


async def polled_and_streamed(sealed: Doors, api: Api, job_id: str) -> tuple[Response, bytes]:
    """What both say of the job, once somebody has changed it."""
    await sealed.client.hset(keys.job(JobId(job_id)), "progress", '{"message":"forged"}')  # type: ignore[misc]
    polled = await api.http.get(f"/v1/jobs/{job_id}")
    streamed = bytearray()
    with pytest.raises(RemoteProtocolError):
        await listen(api, job_id, streamed)
    return polled, bytes(streamed)


async def listen(api: Api, job_id: str, heard: bytearray) -> None:
    """Hear the job's stream to its end."""
    async with api.http.stream("GET", f"/v1/jobs/{job_id}/stream") as stream:
        async for chunk in stream.aiter_bytes():
            heard += chunk


async def test_a_process_with_other_keys_does_not_start(store: ValkeyProcess, redis: Client) -> None:
    """Nor one without; one that has the last key beside another does, and then the next one need not have it."""
    orders = [(None, True), (FIRST, True), (FIRST, True), (SECOND, False), (None, False)]
    orders += [(f"{SECOND},{FIRST}", True), (SECOND, True), (FIRST, False)]

    for given, starts in orders:
        async with connect(store.url, sealer=sealer_of(given)) as client:
            if starts:
                await check_keys(client)
            else:
                with pytest.raises(StoreUnsuitable, match="DATA_ENCRYPTION_KEY"):
                    await check_keys(client)
    assert await redis.ttl(keys.SEAL) > 0


async def test_what_a_stream_of_words_costs_its_worker(sealed: Doors, doors: Doors, say: Say) -> None:
    """CPU of this process alone; not judged, the machine is shared."""
    costs = []
    for each in (doors, sealed):
        claim = await running(each)
        await each.append(claim, lines.begun("openai"))
        began = time.process_time()
        for at in range(0, 30_000, 30):
            await each.append(claim, lines.wrote("openai", "words of a model, some thirty ", at=at))
        costs.append((time.process_time() - began) / 1000 * 1e6)
    say(f"a flush of words takes {costs[0]:.0f} us of a worker's CPU plain, {costs[1]:.0f} us sealed")


async def _heard(subscription: PubSub) -> bytes:
    return b"\n".join([message["data"] async for message in _messages(subscription, until_empty=True)])


async def _messages(subscription: PubSub, *, until_empty: bool = False) -> Any:
    """What was announced, up to an end; or all that is there."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            message = await subscription.get_message(timeout=0.2 if until_empty else None)
            if message is None:
                return
            if message["type"] not in ("pmessage", "message"):
                continue
            yield message
            if not until_empty and b"|end|" in message["data"]:
                return
