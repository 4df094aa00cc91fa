"""Pages of other origins: who may act and listen, what a preflight is told, and what every answer bears."""

from collections.abc import AsyncIterator, Awaitable
from typing import Any, cast

import pytest
import pytest_asyncio
from httpx2 import Response
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from jobs.errors import JobError
from service.headers import EVERY_ANSWER, UNLESS_GIVEN
from service.limits import Allowance
from tests.api import Api
from tests.service.edge import KEYRING, Edge, edge
from tests.service.raw import exchange
from tests.system import SECRET
from tests.valkey import ValkeyProcess

FRIEND = "https://app.example.com"
SECOND_FRIEND = "http://localhost:5173"
UNKNOWN = "x" * 32


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(store: ValkeyProcess) -> AsyncIterator[Edge]:
    """A service that two origins of others may call; all tests here share it, since none of them gets far."""
    nobody_streams = Allowance(streams=0)  # but for the secrets
    async with edge(store.url, allowance=nobody_streams, jobstream_origins=f"{FRIEND}, {SECOND_FRIEND}") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(service: Edge) -> AsyncIterator[Api]:
    """Who holds the service secret, and sends what a test would have a browser send."""
    async with Api(service.url, SECRET) as caller:
        yield caller


def slug(answer: Response) -> str:
    return str(answer.json()["type"]).removeprefix("/problems/")


STRANGERS = {
    "another site": {"Origin": "https://evil.example"},
    "a name under ours": {"Origin": "https://evil.app.example.com"},
    "ours as a prefix": {"Origin": "https://app.example.com.evil.example"},
    "ours as a suffix": {"Origin": "https://evilapp.example.com"},
    "without its name": {"Origin": "https://example.com"},
    "another scheme": {"Origin": "http://app.example.com"},
    "another port": {"Origin": "https://app.example.com:8443"},
    "the usual port, spelled": {"Origin": "https://app.example.com:443"},
    "another case": {"Origin": "https://App.Example.com"},
    "a slash": {"Origin": "https://app.example.com/"},
    "a dot": {"Origin": "https://app.example.com."},
    "no origin": {"Origin": "null"},
    "no origin, on our page's word": {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    "nothing": {"Origin": ""},
    "all": {"Origin": "*"},
    "no URL": {"Origin": "http://["},
    "two in one": {"Origin": f"{FRIEND}, https://evil.example"},
    "this host as its user": {"Origin": "http://{host}@evil.example"},
    "this host with another port": {"Origin": "http://127.0.0.1:1"},
    "this host on another scheme": {"Origin": "ftp://{host}"},
    "elsewhere, without an origin": {"Sec-Fetch-Site": "cross-site"},
    "next door, without an origin": {"Sec-Fetch-Site": "same-site"},
    "elsewhere, in our name": {"Sec-Fetch-Site": "cross-site", "Origin": "{own}"},
    "some new word": {"Sec-Fetch-Site": "sideways"},
}
KNOWN = {
    "a friend": {"Origin": FRIEND},
    "another friend": {"Origin": SECOND_FRIEND, "Sec-Fetch-Site": "cross-site"},
    "a server": {},
    "our page": {"Origin": "{own}"},
    "our page, as its browser says": {"Origin": "{own}", "Sec-Fetch-Site": "same-origin"},
    "our page behind a proxy that renames us": {"Origin": "https://jobs.example", "Sec-Fetch-Site": "same-origin"},
    "typed by hand": {"Sec-Fetch-Site": "none"},
}
ACTS = [
    ("POST", "/v1/jobs"),
    ("POST", f"/v1/jobs/{UNKNOWN}/cancel"),
    ("POST", f"/v1/jobs/{UNKNOWN}/token"),
    ("POST", "/v1/session"),
    ("DELETE", f"/v1/jobs/{UNKNOWN}"),
    ("PUT", "/v1/nothing"),
    ("PATCH", "/v1/nothing"),
    ("GET", f"/v1/jobs/{UNKNOWN}/stream"),
    ("HEAD", f"/v1/jobs/{UNKNOWN}/stream"),
    ("GET", f"/v1/stream?job={UNKNOWN}"),
]


def filled(headers: dict[str, str], service: Edge) -> dict[str, str]:
    """The headers with this service's own name in them."""
    host = service.url.removeprefix("http://")
    return {name: value.format(own=service.url, host=host) for name, value in headers.items()}


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
async def test_pages_of_strangers_neither_act_nor_listen(service: Edge, server: Api, headers: dict[str, str]) -> None:
    """403 before anything else is looked at; no CORS header lets them read even that."""
    for method, path in ACTS:
        answer = await server.http.request(method, path, headers=filled(headers, service))
        assert answer.status_code == 403, (method, path)
        assert method == "HEAD" or slug(answer) == "origin-not-allowed"
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("headers", KNOWN.values(), ids=KNOWN)
async def test_friends_servers_and_our_own_pages_come_through(
    service: Edge, server: Api, headers: dict[str, str]
) -> None:
    statuses = [
        (await server.http.request(method, path, headers=filled(headers, service))).status_code
        for method, path in ACTS
    ]

    assert statuses == [415, 404, 404, 403, 404, 404, 404, 404, 404, 404]


async def test_two_origins_are_none(service: Edge, server: Api) -> None:
    headers = [("Origin", FRIEND), ("Origin", "https://evil.example")]

    answer = await server.http.post("/v1/jobs", headers=headers)

    assert (answer.status_code, slug(answer)) == (403, "origin-not-allowed")


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
async def test_a_socket_of_a_strangers_page_is_refused_before_it_opens(
    service: Edge, headers: dict[str, str]
) -> None:
    """The handshake itself is answered 403, and says why."""
    sent = {"Authorization": f"Bearer {SECRET}", **filled(headers, service)}
    for path in ("/v1/ws", f"/v1/jobs/{UNKNOWN}/ws"):
        with pytest.raises(InvalidStatus) as refusal:
            await connect(service.url.replace("http", "ws") + path, additional_headers=sent, open_timeout=10)

        answer = refusal.value.response
        assert answer.status_code == 403
        assert b"origin-not-allowed" in answer.body
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("headers", KNOWN.values(), ids=KNOWN)
async def test_a_socket_of_anybody_known_opens(service: Edge, headers: dict[str, str]) -> None:
    sent = {"Authorization": f"Bearer {SECRET}", **filled(headers, service)}
    async with connect(service.url.replace("http", "ws") + "/v1/ws", additional_headers=sent) as socket:
        await socket.send('{"op": "ping"}')
        assert await socket.recv() == '{"op":"pong"}'


async def test_a_link_from_elsewhere_leads_here(service: Edge, server: Api) -> None:
    """Looking does nothing, and no other page sees what is shown."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}

    answer = await server.http.get("/healthz", headers=headers)

    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


FORMS = [
    "application/x-www-form-urlencoded",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "",
]


@pytest.mark.parametrize("media_type", FORMS)
async def test_a_form_changes_nothing(server: Api, media_type: str) -> None:
    """What a page can send without asking first is not read: 415."""
    body = b'{"kind": "chat", "input": {"message": "x"}}'
    paths = ["/v1/jobs", "/v1/events", "/v1/tokens"]

    answers = [
        await server.http.post(path, content=body, headers={"Content-Type": media_type} if media_type else {})
        for path in paths
    ]

    assert [(each.status_code, slug(each)) for each in answers] == [(415, "unsupported-media-type")] * len(paths)


# CORS


@pytest.mark.parametrize("path", ["/v1/jobs", f"/v1/stream?job={UNKNOWN}", f"/v1/jobs/{UNKNOWN}/stream", "/nowhere"])
async def test_a_preflight_tells_a_friend_what_it_may_send(server: Api, path: str) -> None:
    """Without a credential, since browsers send none; the long Last-Event-ID of many jobs is among it."""
    headers = {
        "Origin": FRIEND,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,last-event-id",
    }

    answer = await server.http.options(path, headers=headers)

    allowed = {each.strip().lower() for each in answer.headers["access-control-allow-headers"].split(",")}
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == FRIEND
    assert {"authorization", "content-type", "last-event-id", "idempotency-key", "prefer", "if-none-match"} <= allowed
    assert {"GET", "POST", "PUT", "DELETE"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    assert "*" not in str(answer.headers)
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("headers", STRANGERS.values(), ids=STRANGERS)
async def test_a_preflight_of_strangers_is_refused(service: Edge, server: Api, headers: dict[str, str]) -> None:
    """As is our own page's, which has no need of one."""
    sent = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET", **filled(headers, service)}
    answer = await server.http.options("/v1/jobs", headers=sent)

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_a_friend_reads_every_answer_and_its_headers(service: Edge, server: Api) -> None:
    """Whatever its status; and caches keep the answers of one origin from another."""
    for answer in await every_answer(service, server, {"Origin": FRIEND}):
        assert answer.headers["access-control-allow-origin"] == FRIEND, answer.status_code
        exposed = set(answer.headers["access-control-expose-headers"].split(", "))
        assert {"ETag", "Location", "Retry-After", "Preference-Applied", "Idempotent-Replayed"} <= exposed
        assert "X-Request-ID" in exposed


async def test_every_answer_says_that_it_depends_on_the_origin(service: Edge, server: Api) -> None:
    for answer in await every_answer(service, server, {}):
        assert "Origin" in answer.headers["vary"].split(", "), answer.status_code
        assert "access-control-allow-origin" not in answer.headers


# What every answer bears


async def test_every_answer_bears_the_headers_that_keep_browsers_safe(service: Edge, server: Api) -> None:
    """Whatever its status: 200 and 201, 204 and 304, every refusal, and a fault of our own."""
    answers = await every_answer(service, server, {})

    assert {each.status_code for each in answers} == STATUSES
    for answer in answers:
        bears = answer.headers
        assert bears["x-content-type-options"] == "nosniff", answer.status_code
        assert "default-src 'none'" in bears["content-security-policy"]
        assert "frame-ancestors 'none'" in bears["content-security-policy"]
        assert bears["referrer-policy"] == "no-referrer"
        assert bears["cross-origin-opener-policy"] == "same-origin"
        assert bears["cross-origin-resource-policy"] == "same-origin"
        assert "no-store" in bears["cache-control"]
        assert bears["x-request-id"]
        assert "server" not in bears
        assert "strict-transport-security" not in bears


async def test_what_never_became_a_request_is_answered_as_safely(service: Edge) -> None:
    answer = await exchange(service.url, b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")

    assert answer.status == 400
    for name, value in (EVERY_ANSWER | UNLESS_GIVEN).items():
        assert answer.headers[name.lower()] == value
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("proto", "hops", "told"),
    [("https", "127.0.0.1", "max-age=31536000"), ("https", "", None), ("http", "127.0.0.1", None)],
)
async def test_browsers_are_told_to_stay_with_tls_where_it_is_spoken(
    store: ValkeyProcess, proto: str, hops: str, told: str | None
) -> None:
    """By the word of a trusted hop alone."""
    async with edge(store.url, jobstream_trusted_hops=hops) as service, Api(service.url, None) as anyone:
        answer = await anyone.http.get("/healthz", headers={"X-Forwarded-Proto": proto})

    assert answer.headers.get("strict-transport-security") == told


async def test_a_fault_of_our_own_tells_nothing_but_to_the_log(service: Edge, server: Api) -> None:
    job = await corrupt(service, server)

    with capture_logs() as logged:
        answer = await server.http.get(f"/v1/jobs/{job}", headers={"X-Request-ID": "mine"})

    assert [(line["error"], line["exc_info"]) for line in logged if line["log_level"] == "error"] == [
        ("ValueError", True)
    ]
    assert answer.json() == {
        "type": "/problems/internal-error",
        "title": JobError.title,
        "status": 500,
        "detail": "The service met an unexpected fault.",
        "instance": "mine",
    }


STATUSES = {200, 201, 202, 204, 304, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503}


async def every_answer(service: Edge, server: Api, headers: dict[str, str]) -> list[Response]:
    """An answer of each status, to requests with these headers."""
    job = (await server.submit("x", subject="one"))["id"]
    etag = (await server.http.get(f"/v1/jobs/{job}")).headers["etag"]
    broken = await corrupt(service, server)
    reader = KEYRING.browser_token("one", frozenset({"read"}), seconds=60).token
    chat = {"kind": "chat", "input": {"message": "x"}}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", "/healthz", {}),
        ("HEAD", f"/v1/jobs/{job}/stream", {}),
        ("POST", "/v1/tokens", {"json": {"subject": "one", "scopes": ["read"]}}),
        ("POST", "/v1/jobs", {"json": chat}),
        ("POST", "/v1/session", {"headers": bearer(reader)}),
        ("GET", f"/v1/jobs/{job}", {"headers": {"If-None-Match": etag}}),
        ("POST", "/v1/jobs", {"content": b"{", "headers": {"Content-Type": "application/json"}}),
        ("GET", "/v1/kinds", {"headers": bearer("wrong")}),
        ("POST", f"/v1/jobs/{job}/cancel", {"headers": bearer(reader)}),
        ("GET", "/nowhere", {}),
        ("PUT", "/v1/jobs", {}),
        ("DELETE", f"/v1/jobs/{job}", {}),
        ("POST", "/v1/jobs", {"json": chat | {"input": {"message": "x" * 2**20}}}),
        ("POST", "/v1/jobs", {"content": b"x"}),
        ("POST", "/v1/jobs", {"json": {}}),
        ("GET", f"/v1/jobs/{job}/stream", {"headers": bearer(reader)}),
        ("GET", f"/v1/jobs/{broken}", {}),
        ("GET", "/readyz?worker=1", {}),
    ]
    with capture_logs():  # what it says of the fault is long
        return [
            await server.http.request(method, path, **{**sent, "headers": {**headers, **sent.get("headers", {})}})
            for method, path, sent in asked
        ]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def corrupt(service: Edge, server: Api) -> str:
    """A job whose record makes no sense."""
    job: str = (await server.submit("x"))["id"]
    await cast("Awaitable[int]", service.parts.client.hset(f"js:{job}:job", "state", "nonsense"))
    return job
