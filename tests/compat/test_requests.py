"""What the old requests become, whose jobs those are, and how what cannot become one is refused."""

import json
from typing import Any

import orjson
import pytest
from httpx2 import Response
from pydantic import ValidationError

from jobs import keys
from jobs.connection import Client
from jobs.index import Index
from jobs.kinds import KINDS
from jobs.model import JobId, JsonObject
from service.auth import COOKIE
from service.credentials import Keyring
from service.limits import Allowance
from service.settings import Settings
from tests.api import Api
from tests.compat.front_ends import FUNCTIONS
from tests.service.bodies import NO_JSON, WORD
from tests.service.edge import KEYRING, browser, edge, watcher
from tests.service.serving import Serving, serving
from tests.system import SECRET
from tests.valkey import ValkeyProcess

CHAT = "/api/ai/chat"
ALL_SCOPES = frozenset({"read", "cancel", "submit:chat", "submit:transcript-to-journey"})
COPY: JsonObject = {
    "source": {"connection": "lake", "path": "tasks"},
    "destination": {"connection": "warehouse", "table": "tasks"},
    "key": ["id"],
}


def function(name: str) -> str:
    return f"{FUNCTIONS}/{name}-background"


BECOMES: list[tuple[str, JsonObject, str, JsonObject]] = [
    (CHAT, {"message": "Why?"}, "chat", {"messages": [{"role": "user", "content": "Why?"}]}),
    (
        CHAT,
        {
            "prompt": "Why?",
            "messages": [
                {"role": "system", "content": "Be kind.", "id": 1},
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Ho", "model": "x"},
            ],
            "systemPrompt": "Be brief.",
            "models": {"openai": "a", "gemini": "b"},
            "conversationId": "talk",
            "maxTokens": 7,
            "userId": "u-1",
            "stream": False,
        },
        "chat",
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Ho"},
                {"role": "user", "content": "Why?"},
            ],
            "system": "Be brief.\n\nBe kind.",
            "models": {"openai": "a", "google": "b"},
            "conversation_id": "talk",
            "max_output_tokens": 7,
        },
    ),
    (
        CHAT,
        {"message": "Why?", "models": {"openai": None, "gemini": "b"}, "conversationId": "", "chatId": ""},
        "chat",
        {"messages": [{"role": "user", "content": "Why?"}], "models": {"google": "b"}},
    ),
    (
        function("ai-chat"),
        {"message": "Why?", "provider": "gemini", "system": None},
        "chat",
        {"messages": [{"role": "user", "content": "Why?"}], "provider": "google"},
    ),
    (
        function("transcript-to-journey"),
        {"transcript": "We met.", "prompt": "Shops.", "provider": "gemini", "user": {"id": 1}, "model": None},
        "transcript-to-journey",
        {"transcript": "We met.", "prompt": "Shops.", "provider": "google"},
    ),
    (function("summarize-session"), {"sessionId": "s-1"}, "summarize-session", {"session_id": "s-1"}),
    (function("summarize-session"), {"session_id": "s-1"}, "summarize-session", {"session_id": "s-1"}),
    (function("summarize-tree"), {"treeId": "t-1", "force": True}, "summarize-tree", {"tree_id": "t-1"}),
    (
        function("generate-insights"),
        {
            "systemId": "b-1",
            "analysisData": {"voltage": [1, 2]},
            "customPrompt": "Look.",
            "contextWindowDays": 30,
            "maxIterations": 3,
            "fullContextMode": True,
            "jobId": "an-earlier-name",
        },
        "generate-insights",
        {
            "system_id": "b-1",
            "analysis_data": {"voltage": [1, 2]},
            "custom_prompt": "Look.",
            "context_window_days": 30,
            "max_iterations": 3,
            "full_context_mode": True,
        },
    ),
]


@pytest.mark.parametrize(("path", "body", "kind", "given"), BECOMES)
async def test_a_request_becomes_the_job_that_took_its_place(
    caller: Api, redis: Client, path: str, body: JsonObject, kind: str, given: JsonObject
) -> None:
    """With what its kind takes, by the names of today; the rest of the body is left out."""
    answer = await caller.http.post(path, json=body)
    (job,) = [each async for each in Index(redis, keys.JOBS).newest()]
    held = await redis.get(keys.payload(JobId(job.job_id)))

    assert answer.status_code == 202, answer.text
    assert job.kind == kind
    assert held is not None
    assert orjson.loads(held) == given


def told(response: Response) -> tuple[int, str]:
    """Status and sentence; of a refusal in the old shape, that says nothing of the body."""
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    assert set(response.json()) == {"success", "error"}
    assert response.json()["success"] is False
    assert WORD not in response.text
    return response.status_code, response.json()["error"]


REFUSED: dict[str, tuple[str, JsonObject, str]] = {
    "no message": (CHAT, {}, "/messages"),
    "an empty message": (CHAT, {"message": ""}, "/messages"),
    "a message that is none": (CHAT, {"message": {"text": WORD}}, "/message"),
    "messages that are none": (CHAT, {"messages": WORD}, "/messages"),
    "an unknown provider": (CHAT, {"message": "Why?", "models": {"grok": WORD}}, "/models/grok"),
    "a name that is none": (CHAT, {"message": "Why?", "jobId": 7}, "/jobId"),
    "a long name": (CHAT, {"message": "Why?", "chatId": "x" * 257}, "/jobId"),
    "no transcript": (function("transcript-to-journey"), {"prompt": WORD}, "/transcript"),
    "no session": (function("summarize-session"), {}, "/session_id"),
    "no system": (function("generate-insights"), {"jobId": "x"}, "/system_id"),
    "no event": (f"{FUNCTIONS}/async-workloads/send", {"eventData": {}}, "/name"),
    "an event's data that are none": (
        f"{FUNCTIONS}/async-workloads/send",
        {"eventName": "chat", "eventData": WORD},
        "/data",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_wrong_is_a_400_that_names_the_field(caller: Api, redis: Client, name: str) -> None:
    """And nothing of it is stored."""
    path, body, pointer = REFUSED[name]
    status, error = told(await caller.http.post(path, json=body))

    assert status == 400
    assert pointer in error
    assert await redis.keys() == []


@pytest.mark.parametrize("path", [CHAT, function("transcript-to-journey"), f"{FUNCTIONS}/async-workloads/send"])
async def test_what_is_no_json_is_a_400(caller: Api, redis: Client, path: str) -> None:
    """The whole corpus; no body at all lacks its fields."""
    for name, body in NO_JSON.items():
        assert told(await caller.http.post(path, content=body))[0] == 400, name
    assert await redis.keys() == []


@pytest.mark.parametrize("media_type", [None, "text/plain;charset=UTF-8", "application/json"])
async def test_a_body_may_say_that_it_is_text(caller: Api, media_type: str | None) -> None:
    """As `fetch` does for whoever does not name a type."""
    headers = {"Content-Type": media_type} if media_type else {}
    answer = await caller.http.post(CHAT, content=b'{"message": "Why?"}', headers=headers)

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("path", "limit"), [(CHAT, KINDS["chat"].body_limit), (f"{FUNCTIONS}/async-workloads/send", 2**20)]
)
async def test_a_body_that_is_too_large_is_a_413(caller: Api, path: str, limit: int) -> None:
    assert told(await caller.http.post(path, content=b"x" * (limit + 1)))[0] == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", CHAT),
        ("POST", f"{CHAT}/status"),
        ("GET", function("ai-chat")),
        ("DELETE", function("diagram-to-journey")),
        ("POST", f"{FUNCTIONS}/check-job-status"),
        ("PUT", f"{FUNCTIONS}/copy-taskdetail"),
        ("POST", f"{FUNCTIONS}/simple-status"),
        ("GET", f"{FUNCTIONS}/async-workloads/send"),
        ("POST", f"{FUNCTIONS}/async-workloads/events/x"),
    ],
)
async def test_another_method_is_a_405(caller: Api, method: str, path: str) -> None:
    answer = await caller.http.request(method, path)

    assert told(answer) == (405, "This path does not take this method.")
    assert answer.headers["allow"] in ("GET", "POST")


STATUS_PATHS = [f"{CHAT}/status?id=", f"{FUNCTIONS}/check-job-status?jobId=", f"{FUNCTIONS}/simple-status?jobId="]


@pytest.mark.parametrize("path", STATUS_PATHS)
@pytest.mark.parametrize("name", ["u" * 32, "mine", "x" * 300, "%00", "a%2Fb", "%FF", "js:queue"])
async def test_a_job_that_never_was_is_a_404(caller: Api, path: str, name: str) -> None:
    """Whatever is asked for."""
    assert told(await caller.http.get(path + name)) == (404, "No job has this id, or it has expired.")


@pytest.mark.parametrize("path", STATUS_PATHS)
async def test_a_status_of_nothing_is_a_400(caller: Api, path: str) -> None:
    """An id that is empty, and none at all."""
    assert told(await caller.http.get(path))[0] == 400
    assert told(await caller.http.get(path.partition("?")[0]))[0] == 400


async def test_a_job_of_another_kind_is_none_of_the_paths(caller: Api) -> None:
    """A chat is no copy, and no import a chat."""
    chat = (await caller.submit("Hello"))["id"]
    started = await caller.http.post(function("transcript-to-journey"), json={"transcript": "We met."})

    assert told(await caller.http.get(f"{FUNCTIONS}/simple-status?jobId={chat}"))[0] == 404
    assert told(await caller.http.get(f"{CHAT}/status?id={started.json()['jobId']}"))[0] == 404


async def test_a_kind_that_is_not_there_is_a_404(store: ValkeyProcess, redis: Client) -> None:
    """Its path is served, and says so in the old shape."""
    async with serving(store.url, kinds={"chat": KINDS["chat"]}) as service, Api(service.url, SECRET) as caller:
        answer = await caller.http.post(function("transcript-to-journey"), json={"transcript": "We met."})

    assert told(answer) == (404, "Nothing is served at this path.")


async def test_limits_hold_on_the_old_paths_too(store: ValkeyProcess, redis: Client) -> None:
    """By the same count as on the others: 429 and when to come back, before the body is looked at."""
    once = Allowance(submissions_at_once=1, submissions_per_second=0.001)
    async with edge(store.url, allowance=once) as service, browser(service, "hasty") as page:
        await page.submit("Hello")
        refusals = [
            await page.http.post(CHAT, json={"message": "Why?"}),
            await page.http.post(function("ai-chat"), content=b"no JSON, and nobody reads it"),
            await page.http.post(f"{FUNCTIONS}/async-workloads/send", json={"eventName": "x"}),
        ]

    assert [told(each)[0] for each in refusals] == [429] * 3
    assert all(int(each.headers["retry-after"]) > 0 for each in refusals)


async def test_a_service_without_a_secret_says_so(store: ValkeyProcess, redis: Client) -> None:
    keyring = Keyring(service=[], operator=[], signing=[])
    async with serving(store.url, keyring=keyring) as service, Api(service.url, SECRET) as caller:
        assert told(await caller.http.post(CHAT, json={"message": "Why?"}))[0] == 500


async def test_a_store_that_is_gone_is_a_503(store: ValkeyProcess, redis: Client) -> None:
    """When to come back is said too."""
    async with serving(store.url) as service, Api(service.url, SECRET) as caller:
        store.stop()
        try:
            answer = await caller.http.get(f"{CHAT}/status?id={'u' * 32}")
        finally:
            store.start()

    assert told(answer)[0] == 503
    assert int(answer.headers["retry-after"]) > 0


# A caller's own name for its job


async def test_a_callers_name_is_its_jobs_key(caller: Api) -> None:
    """The same request again is the same job; another one under the same name is refused."""
    path, body = function("transcript-to-journey"), {"transcript": "We met.", "jobId": "mine"}
    answers = [await caller.http.post(path, json=body) for _ in range(2)]
    other = await caller.http.post(path, json=body | {"transcript": "We parted."})
    jobs = (await caller.http.get("/v1/jobs")).json()["items"]

    assert [(each.status_code, each.json()["jobId"]) for each in answers] == [(202, "mine")] * 2
    assert told(other)[0] == 400
    assert len(jobs) == 1


async def test_a_name_is_known_to_its_subject_alone(service: Serving, caller: Api) -> None:
    """Another subject's job of the same name is another, and its id is nobody else's either."""
    ids = []
    for subject in ("one", "two"):
        token = KEYRING.browser_token(subject, ALL_SCOPES, seconds=600).token
        async with Api(service.url, token) as page:
            await page.http.post(function("ai-chat"), json={"message": f"I am {subject}.", "jobId": "mine"})
            mine = await page.http.get(f"{FUNCTIONS}/check-job-status?jobId=mine")
            ids.append((await page.http.get("/v1/jobs")).json()["items"][0]["id"])
            by_id = await page.http.get(f"{FUNCTIONS}/check-job-status?jobId={ids[-1]}")
            foreign = await page.http.get(f"{FUNCTIONS}/check-job-status?jobId={ids[0]}")
        assert (mine.status_code, by_id.status_code) == (200, 200)
        assert foreign.status_code == (200 if subject == "one" else 404)

    assert ids[0] != ids[1]
    assert told(await caller.http.get(f"{FUNCTIONS}/check-job-status?jobId=mine"))[0] == 404


async def test_a_stream_token_reads_its_job_by_id_and_no_other_by_name(service: Serving, caller: Api) -> None:
    job = await caller.submit("Hello", idempotency_key="mine")
    async with watcher(service, job["id"]) as holder:
        by_id = await holder.http.get(f"{CHAT}/status?id={job['id']}")
        by_name = await holder.http.get(f"{CHAT}/status?id=mine")

    assert (by_id.status_code, told(by_name)[0]) == (200, 404)


# The cookie


async def test_a_page_that_is_signed_in_calls_with_its_cookie_alone(service: Serving) -> None:
    """From this host's own pages; another's are turned away."""
    token = KEYRING.browser_token("one", ALL_SCOPES, seconds=600).token
    answers: list[Any] = []
    async with Api(service.url, None) as visitor:
        visitor.http.headers["Cookie"] = f"{COOKIE}={token}"
        for site in ("same-origin", "cross-site"):
            headers = {"Sec-Fetch-Site": site, "Content-Type": "text/plain;charset=UTF-8"}
            answers.append(await visitor.http.post(CHAT, content=b'{"message": "Why?"}', headers=headers))
        own = {"Sec-Fetch-Site": "same-origin"}
        status = await visitor.http.get(f"{CHAT}/status?id={answers[0].json()['chatId']}", headers=own)
        outside = await visitor.http.get(f"{CHAT}/status?id={answers[0].json()['chatId']}")

    assert [answer.status_code for answer in answers] == [202, 403]
    assert (status.status_code, told(outside)[0]) == (200, 401)


# Settings


async def test_the_old_paths_can_be_switched_off(store: ValkeyProcess, redis: Client) -> None:
    """Then nothing is there, for whoever asks."""
    async with edge(store.url, jobstream_compat=False) as service, Api(service.url, SECRET) as caller:
        statuses = [
            (await caller.http.post(CHAT, json={"message": "Why?"})).status_code,
            (await caller.http.get(f"{CHAT}/status?id=x")).status_code,
            (await caller.http.post(function("ai-chat"), json={"message": "Why?"})).status_code,
            (await caller.http.get(f"{FUNCTIONS}/check-job-status?jobId=x")).status_code,
            (await caller.http.post(f"{FUNCTIONS}/copy-taskdetail", json={})).status_code,
            (await caller.http.post(f"{FUNCTIONS}/async-workloads/send", json={"eventName": "x"})).status_code,
        ]

    assert statuses == [404] * 6


async def test_nothing_is_copied_where_the_settings_name_nothing(caller: Api) -> None:
    assert told(await caller.http.post(f"{FUNCTIONS}/copy-taskdetail", json={}))[0] == 404


@pytest.mark.parametrize("spelled", ["{", "[]", '{"source": {"connection": "canary"}}', '{"extra": 1}'])
def test_a_copy_that_cannot_stand_is_refused_at_the_start(spelled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of its variable, without what it holds."""
    monkeypatch.setenv("JOBSTREAM_COMPAT_COPY", spelled)
    with pytest.raises(ValidationError) as refused:
        Settings(_env_file=None)

    (error,) = refused.value.errors(include_input=False)
    assert error["loc"] == ("jobstream_compat_copy",)
    assert "canary" not in error["msg"]


def test_a_copy_is_taken_as_it_is_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBSTREAM_COMPAT_COPY", json.dumps(COPY))

    assert Settings(_env_file=None).jobstream_compat_copy == COPY
