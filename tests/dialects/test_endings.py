"""Streams of the dialects that end before their job does, and logs that are shorter than their job was."""

from collections.abc import AsyncGenerator

import httpx2
import pytest

from jobs import keys
from jobs.connection import Client
from jobs.kinds.chat import CHAT
from jobs.leases import Claim
from jobs.model import JsonObject
from jobs.updates import Cursor, Entry
from service.feed import Gone, Item, Told
from service.transports.dialects.openai_responses import NUMBERS_OF_AN_UPDATE
from service.transports.dialects.reading import from_the_start
from tests.api import Api
from tests.dialects.clients import Responses, events_of
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.service.edge import edge
from tests.service.serving import Serving
from tests.system import SECRET
from tests.valkey import ValkeyProcess

RUN: JsonObject = {"threadId": "t", "runId": "r", "messages": [{"id": "1", "role": "user", "content": "Why?"}]}
ASKED: JsonObject = {
    "id": "c",
    "messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "Why?"}]}],
}
RESPONSE: JsonObject = {"input": "Why?", "background": True, "stream": True}


async def answered(doors: Doors) -> Claim:
    """A chat that was written by hand and has ended."""
    claim = await doors.running(CHAT)
    for flush in lines.whole_story():
        await doors.append(claim, *flush)
    return claim


async def streamed(caller: Api, claim: Claim, after: int | None = None) -> list[JsonObject]:
    """The response's events from a number on."""
    more = {} if after is None else {"starting_after": after}
    answer = await caller.http.get(f"/openai/v1/responses/{claim.job_id}", params={"stream": True, **more})
    assert answer.status_code == 200, answer.text
    return [*events_of(answer.content)]


async def forget_the_log(doors: Doors, redis: Client, claim: Claim) -> None:
    """As a minute after the end."""
    await redis.zadd(keys.TRIMS, {claim.job_id: 0}, xx=True)
    await doors.log.trim_ended()
    assert [entry.event for entry in await doors.entries(claim.job_id)] == ["end"]


async def test_a_stream_that_the_server_closes_does_not_pass_for_a_whole_answer(store: ValkeyProcess) -> None:
    """A chat and an agent are told so; a response has no last event, and goes on after its newest."""
    async with edge(store.url, rotate_seconds=0.5) as service, Api(service.url, SECRET) as caller:
        paths = {"/api/chat": ASKED, "/ag-ui/agent": RUN, "/openai/v1/responses": RESPONSE}
        chat, agent, response = [
            [*events_of((await caller.http.post(path, json=body)).content)] for path, body in paths.items()
        ]
        job = (await caller.http.get("/v1/jobs")).json()["items"][0]["id"]
        params = {"stream": True, "starting_after": NUMBERS_OF_AN_UPDATE}
        resumed = await caller.http.get(f"/openai/v1/responses/{job}", params=params)

    assert chat[-1]["type"] == "error"
    assert (agent[-1]["type"], agent[-1]["code"]) == ("RUN_ERROR", "rotate")
    assert {event["type"] for event in response} <= {"response.created"}
    assert [*events_of(resumed.content)] == []


async def test_a_response_of_which_the_log_is_gone_is_told_whole_from_the_start(
    service: Serving, caller: Api, doors: Doors, redis: Client
) -> None:
    """As one event list that can itself be cut anywhere."""
    claim = await answered(doors)
    await forget_the_log(doors, redis, claim)
    events, client = await streamed(caller, claim), Responses()
    for event in events:
        client.take(event)

    assert client.items == {0: "naïve 𝄞 music", 1: "two"}
    first_of_text = [event["type"] for event in events].index("response.output_text.delta")
    for place in range(first_of_text, len(events)):
        assert await streamed(caller, claim, events[place - 1]["sequence_number"]) == events[place:]


async def test_a_response_that_was_left_before_its_log_was_gone_is_told_nothing_twice(
    service: Serving, caller: Api, doors: Doors, redis: Client
) -> None:
    """What was missed comes whole, with what is done."""
    claim = await answered(doors)
    heard = await streamed(caller, claim)
    left = next(event for event in heard if event["type"] == "response.output_text.delta")
    await forget_the_log(doors, redis, claim)

    rest = await streamed(caller, claim, left["sequence_number"])

    done = [event["text"] for event in rest if event["type"] == "response.output_text.done"]
    assert done == ["naïve 𝄞 music", "two"]
    assert {event["type"].rpartition(".")[2] for event in rest} == {"done", "completed"}
    assert rest[-1]["response"]["output"] == heard[-1]["response"]["output"]


async def test_a_log_is_read_on_where_its_follower_would_jump(doors: Doors) -> None:
    """A snapshot on the way is passed over as long as the log holds what led there."""
    claim = await doors.running(CHAT)
    flushes = [[lines.begun("openai")], *([lines.wrote("openai", "x", at=at)] for at in range(5)), [lines.end()]]

    async def jumping(place: Cursor | None) -> AsyncGenerator[Item, None]:
        """As a follower of somebody who is slow: more is there, and a snapshot is cheaper."""
        await doors.append(claim, *flushes.pop(0))
        yield Told(await doors.log.story(claim.job_id), "slow")

    heard: list[Entry] = []
    async for item in from_the_start(doors.log, claim.job_id, jumping):
        assert isinstance(item, list)
        heard += item

    assert heard == await doors.entries(claim.job_id)
    assert heard[-1].last


async def test_a_job_that_is_gone_is_followed_no_further(doors: Doors) -> None:
    """Its reader is told so."""
    claim = await answered(doors)
    await doors.queue.forget(claim.job_id)

    async def nowhere(_place: Cursor | None) -> AsyncGenerator[Item, None]:
        raise AssertionError("there is nothing to follow")
        yield

    assert [item async for item in from_the_start(doors.log, claim.job_id, nowhere)] == [Gone()]


async def test_a_chat_whose_job_has_expired_runs_no_more(caller: Api, redis: Client) -> None:
    """Its name is kept a little longer than its job."""
    async with caller.http.stream("POST", "/api/chat", json=ASKED):
        (job,) = (await caller.http.get("/v1/jobs")).json()["items"]
    await redis.delete(keys.job(job["id"]))

    answers: list[httpx2.Response] = [
        await caller.http.get("/api/chat/c/stream"),
        await caller.http.post("/api/chat/c/stop"),
        await caller.http.post("/ag-ui/agent/connect", json=RUN),
    ]
    assert [answer.status_code for answer in answers] == [204, 200, 200]


@pytest.mark.parametrize("more", [{"provider": "openai", "models": {"openai": "m"}}, {"provider": "second"}])
async def test_a_chat_names_one_provider_or_models(caller: Api, more: JsonObject) -> None:
    """Not both, and none that there isn't."""
    body = {"kind": "chat", "input": {"message": "Why?", **more}}
    assert (await caller.http.post("/v1/jobs", json=body)).status_code == 422
