"""What the dialects' requests become, and how those that cannot become anything are refused."""

from typing import Any

import orjson
import pytest
from httpx2 import Response

from jobs import keys
from jobs.connection import Client
from jobs.index import Index
from jobs.model import JobId, JsonObject
from service.limits import Allowance
from tests.api import Api
from tests.jobs.patience import until
from tests.service.edge import browser, edge
from tests.service.serving import Serving
from tests.valkey import ValkeyProcess

CHAT, AGENT, RESPONSES = "/api/chat", "/ag-ui/agent", "/openai/v1/responses"
WHY: JsonObject = {"role": "user", "content": "Why?"}


def text(said: str, **more: Any) -> JsonObject:
    return {"type": "text", "text": said, **more}


def chat(*messages: JsonObject, **more: Any) -> JsonObject:
    """What the AI SDK's transport sends."""
    return {"id": "chat", "trigger": "submit-message", "messages": list(messages), **more}


def agent(*messages: JsonObject, **more: Any) -> JsonObject:
    """What AG-UI's client sends."""
    numbered = [{"id": str(place), **message} for place, message in enumerate(messages)]
    return {"threadId": "t", "runId": "r", "state": {}, "tools": [], "context": [], "messages": numbered, **more}


ASKED = chat({"id": "1", "role": "user", "parts": [text("Why?")]})

BECOMES: list[tuple[str, JsonObject, JsonObject]] = [
    (CHAT, ASKED, {"messages": [WHY], "provider": "first"}),
    (CHAT, ASKED | {"model": "google"}, {"messages": [WHY], "provider": "google"}),
    (CHAT, ASKED | {"model": "openai/m/1"}, {"messages": [WHY], "models": {"openai": "m/1"}}),
    (CHAT, ASKED | {"provider": "openai", "model": "m"}, {"messages": [WHY], "models": {"openai": "m"}}),
    (
        CHAT,
        chat(
            {"id": "0", "role": "system", "parts": [text("Be brief.")]},
            {"id": "1", "role": "user", "parts": [text("One"), text("two?")]},
            {
                "id": "2",
                "role": "assistant",
                "parts": [
                    {"type": "step-start"},
                    {"type": "reasoning", "text": "hm"},
                    text("wro", providerMetadata={"jobstream": {"provider": "openai", "superseded": True}}),
                    text("Right.", providerMetadata={"jobstream": {"provider": "openai"}}),
                ],
            },
            {"id": "3", "role": "assistant", "parts": []},
            {"id": "4", "role": "user", "parts": [text("Why?"), {"type": "data-place", "data": 1}]},
        ),
        {
            "messages": [
                {"role": "user", "content": "One\n\ntwo?"},
                {"role": "assistant", "content": "Right."},
                WHY,
            ],
            "system": "Be brief.",
            "provider": "first",
        },
    ),
    (AGENT, agent(WHY), {"messages": [WHY], "provider": "first"}),
    (
        AGENT,
        agent(
            {"role": "developer", "content": "Be brief."},
            {"role": "tool", "content": "42", "toolCallId": "c"},
            {"role": "activity", "activityType": "plan", "content": {"step": 1}},
            {"role": "user", "content": [text("Why?")]},
            context=[{"description": "page", "value": "home"}],
            forwardedProps={"model": "anthropic", "other": 1},
        ),
        {"messages": [WHY], "system": "page: home\n\nBe brief.", "provider": "anthropic"},
    ),
    (RESPONSES, {"input": "Why?", "background": True}, {"messages": [WHY], "provider": "first"}),
    (
        RESPONSES,
        {
            "background": True,
            "model": "google/m",
            "instructions": "Be brief.",
            "input": [{"role": "developer", "content": "Be kind."}, WHY],
            "max_output_tokens": 7,
        },
        {
            "messages": [WHY],
            "system": "Be brief.\n\nBe kind.",
            "models": {"google": "m"},
            "max_output_tokens": 7,
        },
    ),
]


@pytest.mark.parametrize(("path", "body", "expected"), BECOMES)
async def test_a_request_becomes_a_chat(
    caller: Api, redis: Client, path: str, body: JsonObject, expected: JsonObject
) -> None:
    """Of one provider, with what was said and nothing else."""
    async with caller.http.stream("POST", path, json=body) as answer:
        assert answer.status_code == 200
        (job,) = [each.job_id async for each in Index(redis, keys.JOBS).newest()]
        given = await redis.get(keys.payload(JobId(job)))

    assert given is not None
    assert orjson.loads(given) == expected


def said(*parts: JsonObject) -> JsonObject:
    return chat({"id": "1", "role": "user", "parts": list(parts)})


REFUSED: list[tuple[str, JsonObject, int]] = [
    (CHAT, said({"type": "file", "mediaType": "image/png", "url": "data:,"}), 422),
    (CHAT, said(text("")), 422),
    (CHAT, chat(), 422),
    (CHAT, ASKED | {"model": "gpt-6"}, 422),
    (CHAT, ASKED | {"id": ""}, 422),
    (CHAT, {}, 422),
    (AGENT, agent({"role": "user", "content": [{"type": "image", "source": {}}]}), 422),
    (AGENT, agent(WHY, forwardedProps={"model": "gpt-6"}), 422),
    (AGENT, agent(WHY, threadId=7), 422),
    (AGENT, agent(), 422),
    (RESPONSES, {"input": ""}, 400),
    (RESPONSES, {"input": 7}, 400),
    (RESPONSES, {"input": [{"type": "function_call_output", "call_id": "c", "output": "x"}]}, 400),
    (RESPONSES, {"input": "Why?", "metadata": {"a": 1}}, 400),
]


@pytest.mark.parametrize(("path", "body", "status"), REFUSED)
async def test_what_cannot_become_a_chat_is_refused(caller: Api, path: str, body: JsonObject, status: int) -> None:
    """Before anything is written."""
    answer = await caller.http.post(path, json=body)
    jobs = (await caller.http.get("/v1/jobs")).json()["items"]

    assert (answer.status_code, jobs) == (status, [])


@pytest.mark.parametrize("path", [CHAT, AGENT, f"{AGENT}/connect", RESPONSES])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"id": "\\ud800"}', b"\xff", b"{" * 5000])
async def test_what_is_no_json_is_refused_in_the_words_of_each_dialect(caller: Api, path: str, body: bytes) -> None:
    """A sentence, a problem, or OpenAI's envelope."""
    answer = await caller.http.post(path, content=body, headers={"Content-Type": "application/json"})

    kinds = {CHAT: "text/plain; charset=utf-8", RESPONSES: "application/json"}
    assert answer.status_code == 400
    assert answer.headers["content-type"] == kinds.get(path, "application/problem+json")
    if path == RESPONSES:
        assert answer.json()["error"]["code"] == "invalid-json"


async def test_limits_hold_in_every_dialect(store: ValkeyProcess) -> None:
    """One question, and one stream at a time; a question that is refused keeps no seat."""
    once = Allowance(submissions_at_once=1, submissions_per_second=0.001, streams=1)
    async with edge(store.url, allowance=once) as service, browser(service, "hasty") as page:
        async with page.http.stream("POST", CHAT, json=ASKED) as first:
            busy = await page.http.get("/api/chat/chat/stream")
        refusals = [
            await too_fast(page, path, body)
            for path, body in ((CHAT, ASKED), (AGENT, agent(WHY)), (RESPONSES, {"input": "Why?", "stream": True}))
        ]
        await until(lambda: has_a_seat(page))

    assert (first.status_code, busy.status_code) == (200, 429)
    assert [answer.status_code for answer in refusals] == [429, 429, 429]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refusals)
    assert refusals[-1].json()["error"]["type"] == "rate_limit_error"


async def too_fast(page: Api, path: str, body: JsonObject) -> Response:
    """The refusal of a question that comes too fast, once the stream before it has left its seat."""
    answers: list[Response] = []

    async def refused() -> bool:
        answers.append(await page.http.post(path, json=body))
        return "too fast" in answers[-1].text

    await until(refused)
    return answers[-1]


async def has_a_seat(page: Api) -> bool:
    async with page.http.stream("GET", "/api/chat/chat/stream") as answer:
        return answer.status_code == 200


async def test_a_late_stop_does_not_end_the_next_answer(service: Serving, caller: Api) -> None:
    """One that names the answer that it means; without a name it is the newest."""
    async with caller.http.stream("POST", CHAT, json=ASKED):
        late = await caller.http.post("/api/chat/chat/stop", json={"activeStreamId": "an-earlier-one"})
        (job,) = (await caller.http.get("/v1/jobs")).json()["items"]
        stop = await caller.http.post("/api/chat/chat/stop")
        stopped = await caller.poll(job["id"])

    assert (late.json(), job["state"]) == ({"success": True}, "queued")
    assert (stop.json(), stopped["state"]) == ({"success": True}, "cancelled")


async def test_a_chat_runs_as_long_as_its_newest_question(caller: Api) -> None:
    """An earlier one of the same chat, still waiting, is not resumed once another was asked."""
    for _ in range(2):
        async with caller.http.stream("POST", CHAT, json=ASKED):
            pass
    newest, _ = (await caller.http.get("/v1/jobs")).json()["items"]
    await caller.http.post(f"/v1/jobs/{newest['id']}/cancel")

    assert (await caller.http.get("/api/chat/chat/stream")).status_code == 204


async def test_what_a_thread_keeps_expires(caller: Api, redis: Client) -> None:
    """As all that is stored does."""
    async with caller.http.stream("POST", CHAT, json=ASKED):
        pass

    assert await redis.ttl(keys.thread("ai-sdk", None, "chat")) > 0
