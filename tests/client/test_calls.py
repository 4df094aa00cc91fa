"""What each call comes to, and what becomes of those that get no answer; each form of the client alike."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any
from uuid import uuid4

import pytest

from jobstream.client import (
    AsyncClient,
    Client,
    JobFailed,
    JobstreamError,
    NotFound,
    NotUnderstood,
    RequestRefused,
    TimedOut,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from jobstream.client.surroundings import credential, service_url
from tests.api import Api
from tests.client.forms import OpenClient
from tests.client.proxy import Fate, open_proxy
from tests.client.samples import BUSY, a_job
from tests.client.wires import answered, saying, silence
from tests.system import SECRET, System

HELLO = {"message": "Hello"}
REFUSED_BY_ALL = {"message": "Hello", "models": {"openai": "sandbox-400"}}
KEPT = {"BACKGROUND_FUNCTION_AUTH_TOKEN": "new, old"}
LOST = Fate(after=0, resets=True)
LATER = datetime.now(UTC) + timedelta(hours=2)


def then(*first: Fate) -> Iterator[Fate]:
    """These connections break; the later ones live."""
    yield from first
    yield from repeat(Fate(after=1 << 30, resets=False))


async def test_a_submission_comes_to_the_job_that_the_service_now_has(client: AsyncClient, api: Api) -> None:
    job = await client.submit("chat", HELLO, priority=7, metadata={"page": "1"}, subject="a-pilot")

    polled = await api.poll(job.id)

    assert job.created_at == datetime.fromisoformat(polled["created_at"])
    assert (job.priority, dict(job.metadata), job.subject) == (7, {"page": "1"}, "a-pilot")
    assert job.stream_token


@pytest.mark.parametrize("losses", [1, 3])
@pytest.mark.parametrize("fate", [LOST, Fate(after=200, resets=False)], ids=["all", "half"])
async def test_a_submission_whose_reply_is_lost_comes_to_one_job(
    open_client: OpenClient, system: System, fate: Fate, losses: int
) -> None:
    """The service was asked each time, and took the job the first time."""
    subject = f"lost-{uuid4()}"
    lossy = open_proxy(system.url, fates=then(*[fate] * losses))
    async with lossy as proxy, open_client(proxy.url, SECRET) as client:
        job = await client.submit("chat", HELLO, subject=subject)

    assert proxy.cuts["POST jobs"] == losses
    assert await jobs_of(subject, system.url) == [job.id]


async def test_an_event_whose_reply_is_lost_starts_its_jobs_once(open_client: OpenClient, system: System) -> None:
    subject = f"lost-{uuid4()}"
    async with open_proxy(system.url, fates=then(LOST)) as proxy, open_client(proxy.url, SECRET) as client:
        sent = await client.events.send("chat", HELLO, subject=subject)

    assert sum(proxy.cuts.values()) == 1
    assert await jobs_of(subject, system.url) == list(sent.job_ids)


async def jobs_of(subject: str, url: str) -> list[str]:
    """The ids of all jobs that are the subject's."""
    async with AsyncClient(url, SECRET) as client:
        token = await client.tokens.mint(subject, ["read"])
    async with AsyncClient(url, token.token) as owner:
        return [job.id for job in (await owner.jobs.list()).items]


async def test_a_retry_whose_reply_is_lost_is_not_sent_again(open_client: OpenClient, system: System) -> None:
    """It would be refused, or worse start one run more; its caller looks at the job."""
    async with open_client(system.url, SECRET) as client:
        job = await client.submit("chat", REFUSED_BY_ALL)
        with suppress(JobFailed):
            await client.result(job)
    async with open_proxy(system.url, fates=then(LOST)) as proxy, open_client(proxy.url, SECRET) as client:
        with pytest.raises(Unreachable):
            await client.retry(job.id)

    assert len(proxy.requests) == 1


async def test_the_same_key_is_the_same_job_and_not_another_input_s(client: AsyncClient) -> None:
    key = datetime.now(UTC).isoformat()
    first = await client.submit("chat", HELLO, idempotency_key=key)

    again = await client.submit("chat", HELLO, idempotency_key=key)
    with pytest.raises(RequestRefused) as refusal:
        await client.submit("chat", {"message": "Another"}, idempotency_key=key)

    assert again.id == first.id
    assert refusal.value.status == 422
    assert refusal.value.problem
    assert refusal.value.problem.type == "/problems/idempotency-key-reused"


async def test_a_refusal_is_told_in_the_service_s_own_words(client: AsyncClient) -> None:
    with pytest.raises(RequestRefused, match=r"^[A-Z].*: .*\.$") as refusal:
        await client.submit("chat", {"message": ""})

    assert refusal.value.problem
    assert refusal.value.problem.errors[0].pointer == "/input/message"
    assert json.loads(refusal.value.body)["status"] == refusal.value.status == 422


async def test_a_wrong_credential_is_told_apart(open_client: OpenClient, system: System) -> None:
    async with open_client(system.url, "a wrong secret") as client:
        with pytest.raises(Unauthorized) as refusal:
            await client.submit("chat", HELLO)

    assert refusal.value.status == 401


@pytest.mark.parametrize("body", ["<html>No</html>", json.dumps(["no", "problem"]), json.dumps({"title": 1})])
async def test_a_stranger_s_refusal_is_told_by_its_status(open_client: OpenClient, body: str) -> None:
    async with saying(answered("418 I am a teapot", body)) as wire, open_client(wire.url, SECRET) as client:
        with pytest.raises(RequestRefused, match=r"^The service answers 418\.$") as refusal:
            await client.submit("chat", HELLO)

    assert (refusal.value.status, refusal.value.body, refusal.value.problem) == (418, body, None)


@pytest.mark.parametrize("body", ["", "<html>Hello</html>", "{}", json.dumps({**a_job(), "state": 1})])
async def test_what_is_no_answer_of_the_service_is_told_as_such(open_client: OpenClient, body: str) -> None:
    async with saying(answered("200 OK", body)) as wire, open_client(wire.url, SECRET) as client:
        with pytest.raises(NotUnderstood) as strange:
            await client.get("a-job")

    assert (strange.value.status, strange.value.body) == (200, body)


async def test_a_credential_is_not_carried_to_where_a_redirection_points(open_client: OpenClient) -> None:
    async with saying() as elsewhere:
        moved = answered("302 Found", "", f"Location: {elsewhere.url}/v1/jobs/a-job")
        async with saying(moved) as wire, open_client(wire.url, SECRET) as client:
            with pytest.raises(RequestRefused):
                await client.get("a-job")

    assert elsewhere.requests == []


async def test_a_busy_service_is_asked_again_when_it_says(open_client: OpenClient) -> None:
    """The same submission, to the byte."""
    busy = answered("429 Too Many Requests", json.dumps(BUSY), "Retry-After: 1")
    accepted = answered("202 Accepted", json.dumps(a_job()))
    async with saying(busy, accepted) as wire, open_client(wire.url, SECRET) as client:
        job = await client.submit("chat", HELLO)

    assert job.id == "a-job"
    assert len(wire.requests) == 2


async def test_a_service_that_stays_busy_is_told_as_such(open_client: OpenClient) -> None:
    busy = answered("429 Too Many Requests", json.dumps(BUSY), "Retry-After: 60")
    async with saying(busy) as wire, open_client(wire.url, SECRET) as client:
        with pytest.raises(Unavailable, match="Come back later"):
            await client.submit("chat", HELLO)

    assert len(wire.requests) == 1


async def test_a_service_that_is_not_there_is_told_as_such(open_client: OpenClient) -> None:
    async with saying("") as wire:
        pass  # now nobody listens there

    async with open_client(wire.url, SECRET, timeout=0.5) as client:
        with pytest.raises(Unreachable, match="The service does not answer"):
            await client.submit("chat", HELLO)


async def test_a_service_that_says_nothing_is_given_up_in_time(open_client: OpenClient) -> None:
    """What may be sent twice is, before that."""
    async with silence() as url, open_client(url, SECRET, timeout=0.5) as client:
        with pytest.raises(TimedOut) as late:
            await client.submit("chat", HELLO)

    assert isinstance(late.value, TimeoutError)
    assert isinstance(late.value, JobstreamError)


async def test_a_job_is_cancelled_run_again_and_deleted(client: AsyncClient) -> None:
    job = await client.submit("chat", HELLO, delay=timedelta(hours=1))

    assert (await client.cancel(job.id)).state == "cancelled"
    assert (await client.cancel(job.id)).state == "cancelled"
    again = await client.retry(job.id, from_start=True)
    assert again.run == 2
    assert (await client.result(again))["openai"]["ok"]
    with pytest.raises(RequestRefused) as refusal:
        await client.retry(job.id)
    assert refusal.value.status == 409
    await client.delete(job.id)
    with pytest.raises(NotFound):
        await client.get(job.id)


async def test_one_part_is_asked_again_by_itself(client: AsyncClient) -> None:
    job = await client.submit("chat", {**HELLO, "models": {"openai": "sandbox-1", "google": "sandbox-400"}})
    first = await client.result(job)

    again = await client.result(await client.retry(job.id, parts=["google"]))

    assert first["google"]["ok"] is again["google"]["ok"] is False
    assert again["openai"] == first["openai"]


async def test_a_result_that_there_is_not_is_told_with_the_job(client: AsyncClient) -> None:
    job = await client.submit("chat", REFUSED_BY_ALL)

    with pytest.raises(JobFailed, match="The job has no result") as failed:
        await client.result(job)

    assert failed.value.job.state == "failed"
    assert failed.value.job.error


@pytest.mark.parametrize(
    ("helper", "more", "priority", "state"),
    [
        ("send", {"priority": 3}, 3, "queued"),
        ("send_urgent", {}, 10, "queued"),
        ("send_delayed", {"delay": timedelta(hours=1)}, 5, "scheduled"),
        ("send_delayed", {"delay": 3600.0, "priority": 9}, 9, "scheduled"),
        ("send_scheduled", {"run_at": LATER}, 5, "scheduled"),
    ],
)
async def test_an_event_starts_its_jobs_as_urgent_and_as_late_as_it_says(
    client: AsyncClient, helper: str, more: dict[str, Any], priority: int, state: str
) -> None:
    sent = await getattr(client.events, helper)("chat", HELLO, **more)

    story = await client.events.find(sent.event_id)
    (job_id,) = sent.job_ids
    job = await client.get(job_id)
    assert [each.id for each in story.jobs] == [job_id]
    assert (story.name, story.dropped, job.priority) == ("chat", False, priority)
    assert (job.state == "scheduled") is (state == "scheduled")
    if "run_at" in more:
        assert job.run_at == LATER.replace(microsecond=LATER.microsecond // 1000 * 1000)
    await client.cancel(job_id)


async def test_an_event_that_nobody_takes_says_so(client: AsyncClient) -> None:
    sent = await client.events.send("chat", {"not": "a message"})

    assert sent.job_ids == ()
    assert (await client.events.find(sent.event_id)).dropped


async def test_a_dead_letter_is_found_inspected_run_again_and_dropped(client: AsyncClient) -> None:
    job = await client.submit("chat", REFUSED_BY_ALL)
    with suppress(JobFailed):
        await client.result(job)

    assert job.id in [letter.id for letter in (await client.dead_letters.list(kind="chat")).items]
    assert "chat" in [group.kind for group in await client.dead_letters.groups()]
    letter = await client.dead_letters.inspect(job.id)
    assert letter.input["message"] == "Hello"
    assert letter.failures[-1].outcome == "failed"
    again = await client.dead_letters.retry(job.id)
    assert again.run == 2
    with suppress(JobFailed):
        await client.result(again)
    await client.dead_letters.delete(job.id)
    with pytest.raises(NotFound):
        await client.dead_letters.inspect(job.id)


async def test_a_list_is_read_page_by_page(client: AsyncClient) -> None:
    newest = [(await client.submit("chat", HELLO, delay=3600)).id for _ in range(3)]

    first = await client.jobs.list(kind="chat", state="scheduled", limit=2)
    second = await client.jobs.list(kind="chat", state="scheduled", limit=2, cursor=first.next)

    listed = [job.id for job in (*first.items, *second.items)]
    assert listed[:3] == newest[::-1]
    for job_id in newest:
        await client.cancel(job_id)


async def test_the_kinds_say_what_they_take(client: AsyncClient) -> None:
    (chat,) = [kind for kind in await client.kinds() if kind.name == "chat"]

    assert "message" in chat.input["properties"]


async def test_a_stream_token_reads_its_one_job(open_client: OpenClient, client: AsyncClient, system: System) -> None:
    job, other = [await client.submit("chat", HELLO) for _ in range(2)]
    fresh = await client.tokens.stream(job.id)

    for token in (fresh.token, job.stream_token):
        async with open_client(system.url, token) as watcher:
            *_, last = [state async for state in watcher.watch(job.id)]
            assert last.state == "completed"
            with pytest.raises(NotFound):
                await watcher.get(other.id)


async def test_a_token_may_come_from_an_async_function(system: System) -> None:
    async def fresh() -> str:
        return SECRET

    async with AsyncClient(system.url, fresh) as client:
        assert await client.kinds()


async def test_code_that_waits_cannot_take_an_async_function(system: System) -> None:
    later = asyncio.get_running_loop().create_future

    with Client(system.url, later) as waiting, pytest.raises(TypeError, match="Only AsyncClient"):  # type: ignore[arg-type]
        await asyncio.to_thread(waiting.kinds)


@pytest.mark.parametrize(
    ("variables", "url", "token"),
    [
        ({}, "http://localhost:8888", None),
        (KEPT, "http://localhost:8888", "new"),
        ({"JOBSTREAM_URL": "https://a", "JOBSTREAM_TOKEN": "t", **KEPT}, "https://a", "t"),
    ],
)
def test_what_is_not_given_comes_from_the_environment(variables: dict[str, str], url: str, token: str | None) -> None:
    assert (service_url(variables), credential(variables)) == (url, token)
