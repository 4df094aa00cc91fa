"""Sessions and trees over HTTP: put, read, added to, deleted, and summarised on demand."""

import json
from hashlib import sha256

import pytest

from jobs.connection import Client
from jobs.model import JsonObject
from jobs.sessions import MOST_BYTES, Sessions
from tests.api import Api
from tests.service.serving import KEYRING, Serving

HELLO = {"role": "user", "content": "Hello"}
REPLY = {"role": "assistant", "content": "Hi. 𝄞", "at": "2026-11-21T23:33:05.1234+01:00"}
SCOPES = frozenset({"read", "cancel", "submit:summarize-session", "submit:summarize-tree"})


def page(service: Serving, subject: str = "one", scopes: frozenset[str] = SCOPES) -> Api:
    """A page of the subject."""
    return Api(service.url, KEYRING.browser_token(subject, scopes, seconds=600).token)


async def put(api: Api, path: str, body: JsonObject) -> None:
    answer = await api.http.put(path, json=body)
    assert (answer.status_code, answer.content) == (204, b"")


async def got(api: Api, path: str) -> JsonObject:
    answer = await api.http.get(path)
    assert answer.status_code == 200, answer.text
    found: JsonObject = answer.json()
    return found


async def test_what_is_put_is_read_with_its_hash(caller: Api) -> None:
    """The hash is of the messages' JSON as they are read, without white space."""
    await put(caller, "/v1/sessions/a:b.c_d-1", {"messages": [HELLO, REPLY], "tree_id": "t"})

    session = await got(caller, "/v1/sessions/a:b.c_d-1")

    messages = [HELLO, REPLY | {"at": "2026-11-21T22:33:05.123Z"}]
    spelled = json.dumps(messages, ensure_ascii=False, separators=(",", ":"))
    assert session == {
        "id": "a:b.c_d-1",
        "messages": messages,
        "tree_id": "t",
        "content_hash": sha256(spelled.encode()).hexdigest(),
        "summary": None,
        "summary_hash": None,
        "last_summarized_at": None,
        "stale": True,
    }
    assert (await got(caller, "/v1/trees/t"))["session_ids"] == ["a:b.c_d-1"]


async def test_messages_are_added_at_the_end(caller: Api) -> None:
    """And the session is another one for its hash."""
    await put(caller, "/v1/sessions/s", {"messages": [HELLO]})
    before = await got(caller, "/v1/sessions/s")

    answer = await caller.http.post("/v1/sessions/s/messages", json={"messages": [REPLY, HELLO]})

    after = await got(caller, "/v1/sessions/s")
    assert answer.status_code == 204
    assert [message["content"] for message in after["messages"]] == ["Hello", "Hi. 𝄞", "Hello"]
    assert after["content_hash"] != before["content_hash"]


async def test_a_session_has_8_mebibytes_at_most(caller: Api) -> None:
    """However it came by them: in one body, or added to."""
    large = {"messages": [{"role": "user", "content": "x" * (MOST_BYTES - 1000)}]}
    await put(caller, "/v1/sessions/s", large)

    over = {"messages": [{"role": "user", "content": "x" * MOST_BYTES}]}
    more = {"messages": [{"role": "user", "content": "x" * 1000}]}
    statuses = [
        (await caller.http.put("/v1/sessions/s", json=over)).status_code,
        (await caller.http.post("/v1/sessions/s/messages", json=more)).status_code,
    ]

    assert statuses == [413, 413]
    assert (await got(caller, "/v1/sessions/s"))["messages"] == large["messages"]


async def test_the_service_names_whose_it_is_and_a_page_means_its_own(service: Serving, caller: Api) -> None:
    """The same id is another session for another subject, and for nobody."""
    for query, content in (("", "nobody's"), ("?subject=one", "one's"), ("?subject=two", "two's")):
        await put(caller, f"/v1/sessions/s{query}", {"messages": [HELLO | {"content": content}]})

    async with page(service, "one") as one, page(service, "three") as three:
        own = await got(one, "/v1/sessions/s")
        foreign = await one.http.get("/v1/sessions/s?subject=two")
        none = await three.http.get("/v1/sessions/s")

    assert own["messages"][0]["content"] == "one's"
    assert foreign.json() == own
    assert none.status_code == 404


async def test_what_a_subject_put_is_deleted_with_it(service: Serving, caller: Api, redis: Client) -> None:
    """No key is left of it."""
    before = {name async for name in redis.scan_iter()}
    async with page(service) as one:
        await put(one, "/v1/sessions/s", {"messages": [HELLO], "tree_id": "joined"})
        await put(one, "/v1/trees/t", {"session_ids": ["s"]})

        assert (await caller.http.delete("/v1/subjects/one")).status_code == 202

        assert [(await one.http.get(f"/v1/{path}")).status_code for path in ("sessions/s", "trees/t")] == [404, 404]
    left = {name async for name in redis.scan_iter()} - before
    assert [name for name in left if b"quota" not in name] == []


# Started by hand


async def stale_tree(api: Api) -> None:
    """Of two sessions, one of which is not there."""
    await put(api, "/v1/sessions/s", {"messages": [HELLO]})
    await put(api, "/v1/trees/t", {"session_ids": ["s", "later"]})


async def test_a_preflight_submits_what_is_stale_once(service: Serving) -> None:
    """One job of the page's subject, however often it is asked for."""
    async with page(service) as one:
        await stale_tree(one)

        answers = [await one.http.post("/v1/trees/t/preflight") for _ in range(3)]

        (job,) = (await got(one, "/v1/jobs"))["items"]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    told = {"stale": True, "stale_session_ids": ["s"], "job_id": job["id"]}
    assert [answer.json() for answer in answers] == [told, told, told]
    assert (job["kind"], job["subject"]) == ("summarize-tree", "one")


async def test_nothing_is_submitted_for_what_is_fresh(caller: Api, redis: Client) -> None:
    """The answer is the same 202."""
    await stale_tree(caller)
    sessions = Sessions(redis)
    session = await sessions.session(None, "s")
    await sessions.keep_summary(None, "s", session.content_hash, "Hello was said.")
    tree = await sessions.tree(None, "t")
    await sessions.keep_tree_summary(None, tree, tree.content_hash, "Nothing but hello.")

    preflight = await caller.http.post("/v1/trees/t/preflight")
    triggers = [await caller.http.post(f"/api/summarize/{what}") for what in ("session/s", "tree/t")]

    assert (preflight.status_code, preflight.json()) == (
        202,
        {"stale": False, "stale_session_ids": [], "job_id": None},
    )
    assert [(each.status_code, each.json(), "location" in each.headers) for each in triggers] == [
        (202, {"accepted": True}, False)
    ] * 2
    assert (await got(caller, "/v1/jobs"))["items"] == []
    found = await got(caller, "/v1/trees/t")
    assert (found["stale"], found["high_level_summary"]) == (False, "Nothing but hello.")
    assert found["high_level_summary_hash"] == found["content_hash"]


@pytest.mark.parametrize(("path", "kind"), [("session/s", "summarize-session"), ("tree/t", "summarize-tree")])
async def test_a_trigger_accepts_and_says_where_its_job_is(service: Serving, path: str, kind: str) -> None:
    """A second one finds the same job."""
    async with page(service) as one:
        await stale_tree(one)

        first, second = [await one.http.post(f"/api/summarize/{path}") for _ in range(2)]
        job = await got(one, first.headers["Location"])

    assert (first.status_code, first.json()) == (202, {"accepted": True})
    assert second.headers["Location"] == first.headers["Location"]
    assert (job["kind"], job["subject"], job["state"]) == (kind, "one", "queued")


@pytest.mark.parametrize("path", ["/api/summarize/session/s", "/api/summarize/tree/t"])
async def test_who_may_not_trigger_is_told_so_in_json(service: Serving, caller: Api, path: str) -> None:
    """Who is nobody, who lacks the scope, and whose it isn't."""
    await stale_tree(caller)
    async with (
        Api(service.url, None) as nobody,
        page(service, scopes=frozenset({"read", "submit:chat"})) as unfit,
        page(service) as stranger,
    ):
        answers = [await each.http.post(path) for each in (nobody, unfit, stranger)]

    assert [answer.status_code for answer in answers] == [401, 403, 404]
    assert all(isinstance(answer.json()["error"], str) for answer in answers)


async def test_the_kinds_of_the_clock_are_nobodys_to_submit(caller: Api) -> None:
    """They are not listed either, and their events start nothing."""
    names = {kind["name"] for kind in (await got(caller, "/v1/kinds"))["items"]}
    submitted = await caller.http.post("/v1/jobs", json={"kind": "summarize-stale", "input": {}})
    sent = await caller.http.post("/v1/events", json={"name": "summarize-stale", "data": {}})

    assert {"summarize-session", "summarize-tree"} <= names
    assert names & {"summarize-stale", "summarize-batch"} == set()
    assert (submitted.status_code, sent.json()["job_ids"]) == (422, [])
