"""Who may call which route: every route of the OpenAPI document, for every kind of caller, as one table."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from httpx2 import AsyncClient, Response

from jobs.connection import Client
from jobs.conversations import Conversations
from jobs.kind import Round, Turn
from jobs.kinds import KINDS
from jobs.log import Line
from jobs.model import JobId, JsonObject
from service.auth import COOKIE, OPERATOR_COOKIE
from service.credentials import Keyring
from service.errors import Unauthorized
from tests.api import Api
from tests.jobs.doors import Doors
from tests.service.edge import ALL_SCOPES, KEYRING, OPERATOR_SECRET, Edge, edge
from tests.system import SECRET
from tests.valkey import ValkeyProcess

CHAT: JsonObject = {"kind": "chat", "input": {"message": "whose?"}}
EVENT: JsonObject = {"name": "chat", "data": {"message": "whose?"}}
SESSION: JsonObject = {"messages": [{"role": "user", "content": "whose?"}]}
TOKEN: JsonObject = {"subject": "one", "scopes": ["read"]}
UNKNOWN = "u" * 32
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@dataclass
class Scene:
    """A service, and what one subject has there."""

    service: Edge
    doors: Doors
    server: AsyncClient

    async def queued(self) -> str:
        return str((await self.server.post("/v1/jobs", json=CHAT | {"subject": "one"})).json()["id"])

    async def cancelled(self) -> str:
        job = await self.queued()
        await self.server.post(f"/v1/jobs/{job}/cancel")
        return job

    async def failed(self) -> str:
        job = await self.queued()
        error = orjson.dumps({"type": "timeout", "title": "t", "detail": "d", "retryable": False})
        (claim,) = await self.doors.claim(f"worker-of-{job}", kinds=list(KINDS.values()))
        await self.doors.append(claim, Line("end", name="timeout", head="failed", text=error))
        return claim.job_id

    async def event(self) -> str:
        sent = await self.server.post("/v1/events", json=EVENT | {"name": "unheard", "subject": "one"})
        return str(sent.json()["event_id"])

    async def conversation(self) -> str:
        job = await self.queued()
        (claim,) = await self.doors.claim(f"worker-of-{job}", kinds=list(KINDS.values()))
        await Conversations(self.doors.client).add(claim, job, Round((Turn("user", "whose?"),), {"openai": "Mine."}))
        return job

    async def session(self) -> str:
        session = f"session-{await self.queued()}"
        await self.server.put(f"/v1/sessions/{session}?subject=one", json=SESSION)
        return session

    async def tree(self) -> str:
        session = await self.session()
        await self.server.put(f"/v1/trees/{session}?subject=one", json={"session_ids": [session]})
        return session

    async def subject(self) -> str:
        return "one"


@pytest.fixture
async def scene(store: ValkeyProcess, redis: Client, doors: Doors) -> AsyncIterator[Scene]:
    async with edge(store.url) as service, Api(service.url, SECRET) as server:
        yield Scene(service, doors, server.http)


def page(subject: str, *scopes: str) -> str:
    return KEYRING.browser_token(subject, frozenset(scopes), seconds=600).token


def holder(job: str) -> str:
    return KEYRING.stream_token(JobId(job), seconds=600).token


CALLERS: dict[str, Callable[[str], str | None]] = {
    "nobody": lambda _: None,
    "wrong": lambda _: "wrong",
    "service": lambda _: SECRET,
    "operator": lambda _: OPERATOR_SECRET,
    "owner": lambda _: page("one", *ALL_SCOPES),
    "owner of nothing": lambda _: page("one", "submit:other"),
    "stranger": lambda _: page("two", *ALL_SCOPES),
    "holder": holder,
    "holder of another": lambda _: holder(UNKNOWN),
}
"""Each caller's credential, for the job that is asked about."""

OK = 0
"""What the route answers whom it lets in."""


def told(*statuses: int) -> dict[str, int]:
    return dict(zip(CALLERS, statuses, strict=True))


ANYBODY = told(OK, OK, OK, OK, OK, OK, OK, OK, OK)
ANY_CREDENTIAL = told(401, 401, OK, OK, OK, OK, OK, OK, OK)
READS_IT = told(401, 401, OK, OK, OK, 403, 404, OK, 404)
OWNS_IT = told(401, 401, OK, OK, OK, 403, 404, 403, 404)
OWNS_THE_EVENT = told(401, 401, OK, OK, OK, 403, 404, 403, 403)
HAS_THE_SCOPE = told(401, 401, OK, OK, OK, 403, OK, 403, 403)
HAS_A_SECRET = told(401, 401, OK, OK, 403, 403, 403, 403, 403)
OPERATES = told(401, 401, 403, OK, 403, 403, 403, 403, 403)
MAY_HAVE_A_COOKIE = told(401, 401, 403, OK, OK, OK, OK, 403, 403)


@dataclass(frozen=True)
class Route:
    """Who gets through, and what they are answered; `about` makes what the path names."""

    expected: dict[str, int]
    status: int
    about: Callable[[Scene], Awaitable[str]] = Scene.queued
    body: JsonObject | None = None
    query: str = ""


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/healthz"): Route(ANYBODY, 200),
    ("GET", "/readyz"): Route(ANYBODY, 200),
    ("GET", "/metrics"): Route(OPERATES, 200),
    ("GET", "/v1/kinds"): Route(ANY_CREDENTIAL, 200),
    ("POST", "/v1/jobs"): Route(HAS_THE_SCOPE, 202, body=CHAT),
    ("GET", "/v1/jobs"): Route(HAS_THE_SCOPE, 200),
    ("GET", "/v1/jobs/{job_id}"): Route(READS_IT, 200),
    ("GET", "/v1/jobs/{job_id}/stream"): Route(READS_IT, 200, Scene.cancelled),
    ("HEAD", "/v1/jobs/{job_id}/stream"): Route(READS_IT, 200),
    ("GET", "/v1/jobs/{job_id}/updates"): Route(READS_IT, 200),
    ("GET", "/v1/jobs/{job_id}/rejects"): Route(OWNS_THE_EVENT, 200),
    ("POST", "/v1/jobs/{job_id}/token"): Route(READS_IT, 201),
    ("POST", "/v1/jobs/{job_id}/cancel"): Route(OWNS_IT, 202),
    ("POST", "/v1/jobs/{job_id}/retry"): Route(OWNS_IT, 202, Scene.cancelled),
    ("DELETE", "/v1/jobs/{job_id}"): Route(OWNS_IT, 204, Scene.cancelled),
    ("GET", "/v1/stream"): Route(READS_IT | {"owner of nothing": 404}, 200, Scene.cancelled, query="?job={id}"),
    ("HEAD", "/v1/stream"): Route(READS_IT | {"owner of nothing": 404}, 200, query="?job={id}"),
    ("POST", "/v1/events"): Route(HAS_THE_SCOPE, 202, body=EVENT),
    ("GET", "/v1/events/{event_id}"): Route(OWNS_THE_EVENT, 200, Scene.event),
    ("GET", "/v1/dead-letters"): Route(HAS_THE_SCOPE, 200),
    ("GET", "/v1/dead-letters/{job_id}"): Route(OWNS_THE_EVENT, 200, Scene.failed),
    ("POST", "/v1/dead-letters/{job_id}/retry"): Route(OWNS_IT, 202, Scene.failed),
    ("DELETE", "/v1/dead-letters/{job_id}"): Route(OWNS_IT, 204, Scene.failed),
    ("GET", "/v1/conversations"): Route(HAS_THE_SCOPE, 200, query="?subject=one"),
    ("GET", "/v1/conversations/{conversation_id}"): Route(
        OWNS_THE_EVENT, 200, Scene.conversation, query="?subject=one"
    ),
    ("DELETE", "/v1/conversations/{conversation_id}"): Route(
        OWNS_THE_EVENT, 204, Scene.conversation, query="?subject=one"
    ),
    ("PUT", "/v1/sessions/{session_id}"): Route(HAS_THE_SCOPE, 204, body=SESSION, query="?subject=one"),
    ("GET", "/v1/sessions/{session_id}"): Route(OWNS_THE_EVENT, 200, Scene.session, query="?subject=one"),
    ("POST", "/v1/sessions/{session_id}/messages"): Route(
        OWNS_THE_EVENT, 204, Scene.session, body=SESSION, query="?subject=one"
    ),
    ("DELETE", "/v1/sessions/{session_id}"): Route(OWNS_THE_EVENT, 204, Scene.session, query="?subject=one"),
    ("PUT", "/v1/trees/{tree_id}"): Route(HAS_THE_SCOPE, 204, body={"session_ids": []}, query="?subject=one"),
    ("GET", "/v1/trees/{tree_id}"): Route(OWNS_THE_EVENT, 200, Scene.tree, query="?subject=one"),
    ("DELETE", "/v1/trees/{tree_id}"): Route(OWNS_THE_EVENT, 204, Scene.tree, query="?subject=one"),
    ("POST", "/v1/trees/{tree_id}/preflight"): Route(OWNS_THE_EVENT, 202, Scene.tree, query="?subject=one"),
    ("DELETE", "/v1/subjects/{subject}"): Route(HAS_A_SECRET, 202, Scene.subject),
    ("POST", "/v1/tokens"): Route(HAS_A_SECRET, 201, body=TOKEN),
    ("POST", "/v1/session"): Route(MAY_HAVE_A_COOKIE, 204),
}


async def test_the_table_names_every_route(scene: Scene) -> None:
    """A new route says here who may call it."""
    document = (await scene.server.get("/openapi.json")).json()
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}

    assert routes == {(method, path) for method, path in ROUTES if method != "HEAD"}


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
async def test_each_caller_is_let_in_where_the_table_says(scene: Scene, method: str, path: str) -> None:
    """And what is not its own looks like what never was, to the last byte."""
    route = ROUTES[method, path]
    answered = {}
    for name, credential in CALLERS.items():
        about = await route.about(scene)
        answer = await ask(scene, method, path, route, about, credential(about))
        answered[name] = answer.status_code
        if answer.status_code == 404:
            never = await ask(scene, method, path, route, UNKNOWN[::-1].upper(), credential(about))
            assert whole(answer) == whole(never), name

    assert answered == {name: status or route.status for name, status in route.expected.items()}


async def ask(scene: Scene, method: str, path: str, route: Route, about: str, credential: str | None) -> Response:
    names = ("id", "job_id", "event_id", "subject", "conversation_id", "session_id", "tree_id")
    url = (path + route.query).format(**dict.fromkeys(names, about))
    headers = {"X-Request-ID": "the-same", **(bearer(credential) if credential else {})}
    async with Api(scene.service.url, None) as anyone:
        return await anyone.http.request(method, url, headers=headers, json=route.body)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def whole(answer: Response) -> tuple[int, bytes, dict[str, str]]:
    """All that an answer says, but for when."""
    return answer.status_code, answer.content, {**answer.headers, "date": ""}


async def test_a_list_shows_ones_own_alone(scene: Scene) -> None:
    """Jobs and dead letters; a secret is shown everybody's."""
    dead, alive = await scene.failed(), await scene.queued()
    shown = {}
    for credential in (page("one", "read"), page("two", "read"), SECRET):
        async with Api(scene.service.url, credential) as caller:
            shown[credential] = [
                {item["id"] for item in (await caller.http.get(path)).json()["items"]}
                for path in ("/v1/jobs", "/v1/dead-letters")
            ]

    assert list(shown.values()) == [[{dead, alive}, {dead}], [set(), set()], [{dead, alive}, {dead}]]


# Cookies


@asynccontextmanager
async def with_cookie(service: Edge, **headers: str) -> AsyncIterator[AsyncClient]:
    """A browser that has cookies, and says where from it asks."""
    async with Api(service.url, None) as anyone:
        anyone.http.headers.update(headers)
        yield anyone.http


async def signed_in(scene: Scene, credential: str) -> dict[str, Any]:
    """The cookie that the credential becomes: its name, its value, and its attributes in small letters."""
    async with Api(scene.service.url, credential) as caller:
        answer = await caller.http.post("/v1/session")
    assert answer.status_code == 204
    pair, *attributes = answer.headers["set-cookie"].split("; ")
    name, _, value = pair.partition("=")
    return {"name": name, "value": value, "attributes": {each.lower() for each in attributes}}


@pytest.mark.parametrize(
    ("credential", "name", "longest"),
    [(lambda: page("one", "read"), COOKIE, 600), (lambda: OPERATOR_SECRET, OPERATOR_COOKIE, 8 * 3600)],
    ids=["a page's token", "the operator's secret"],
)
async def test_a_session_is_a_cookie_that_only_this_hosts_pages_send(
    scene: Scene, credential: Callable[[], str], name: str, longest: int
) -> None:
    """No script reads it, no other host or plain connection gets it; the operator's doesn't hold the secret."""
    cookie = await signed_in(scene, credential())
    (lifetime,) = [each for each in cookie["attributes"] if each.startswith("max-age=")]

    assert cookie["name"] == name
    assert OPERATOR_SECRET not in cookie["value"]
    assert {"httponly", "secure", "samesite=strict", "path=/"} <= cookie["attributes"]
    assert 0 < int(lifetime.removeprefix("max-age=")) <= longest


async def test_the_operators_cookie_counts_on_streams_and_logs_and_on_no_other_path_of_a_job(scene: Scene) -> None:
    """From our own page alone; it is no bearer token, and none of the others can stand in for it."""
    job = await scene.cancelled()
    cookie = (await signed_in(scene, OPERATOR_SECRET))["value"]
    stream, poll = f"/v1/jobs/{job}/stream", f"/v1/jobs/{job}"
    operators = {"Cookie": f"{OPERATOR_COOKIE}={cookie}"}
    browsers = {"Cookie": f"{OPERATOR_COOKIE}={page('one', *ALL_SCOPES)}"}

    async with with_cookie(scene.service) as visitor:
        statuses = [
            (await visitor.head(stream, headers=operators | OWN_PAGE)).status_code,
            (await visitor.get(f"{poll}/updates", headers=operators | OWN_PAGE)).status_code,
            (await visitor.get(poll, headers=operators | OWN_PAGE)).status_code,
            (await visitor.head(stream, headers=operators)).status_code,
            (await visitor.head(stream, headers=browsers | OWN_PAGE)).status_code,
            (await visitor.head(stream, headers=bearer(cookie))).status_code,
            (await visitor.get("/v1/operator/anything", headers=operators | OWN_PAGE)).status_code,
        ]

    assert statuses == [200, 200, 401, 401, 401, 401, 404]


def test_only_the_operators_secret_makes_the_operators_cookie() -> None:
    """Whoever holds the service secret can sign as a page, and not as the operator; a new secret ends old cookies."""
    before = Keyring(service=["s"], operator=["old"], signing=[])
    during = Keyring(service=["s"], operator=["new", "old"], signing=[])
    after = Keyring(service=["s"], operator=["new"], signing=[])
    servers = Keyring(service=[], operator=["s"], signing=[])
    cookie = before.operator_token(seconds=60).token

    assert before.identify_operator(cookie) == during.identify_operator(cookie)
    for keyring, forged in ((after, cookie), (before, servers.operator_token(seconds=60).token)):
        with pytest.raises(Unauthorized):
            keyring.identify_operator(forged)


def test_a_signing_key_is_replaced_without_ending_what_it_signed() -> None:
    """With two keys both are taken and the first signs; the service secret signs only where no key is set."""
    before = Keyring(service=["s"], operator=[], signing=["old"])
    during = Keyring(service=["s"], operator=[], signing=["new", "old"])
    after = Keyring(service=["s"], operator=[], signing=["new"])
    unset = Keyring(service=["s"], operator=[], signing=[])
    old, new, plain = (each.browser_token("one", ALL_SCOPES, seconds=60).token for each in (before, during, unset))

    def taken(keyring: Keyring) -> list[bool]:
        return [_known(keyring, token) for token in (old, new, plain)]

    assert [taken(each) for each in (before, during, after, unset)] == [
        [True, False, False],
        [True, True, False],
        [False, True, False],
        [False, False, True],
    ]


def _known(keyring: Keyring, token: str) -> bool:
    try:
        keyring.identify(token)
    except Unauthorized:
        return False
    return True
