"""Who is let in: the order of the credentials, the many wrong ones, and jobs that are not one's own."""

import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from httpx2 import AsyncClient, Response

from jobs.connection import Client
from jobs.model import JobId
from service.auth import COOKIE
from service.credentials import Keyring
from tests.api import Api
from tests.service.serving import KEYRING, Serving, serving
from tests.system import SECRET
from tests.valkey import ValkeyProcess

RIGHT = f"Bearer {SECRET}"
HEADER = "X-Background-Function-Auth-Token"
UNKNOWN = "u" * 32
ALL = frozenset({"read", "cancel", "submit:chat"})

Headers = list[tuple[str, str]]


@pytest.fixture
async def anyone(service: Serving) -> AsyncIterator[AsyncClient]:
    """Somebody without a credential."""
    async with Api(service.url, None) as api:
        yield api.http


@asynccontextmanager
async def asked_with(store: ValkeyProcess, keyring: Keyring) -> AsyncIterator[AsyncClient]:
    """Somebody without a credential, at a service that checks with this keyring."""
    async with serving(store.url, keyring=keyring) as service, Api(service.url, None) as api:
        yield api.http


def keyring(*service: str, operator: tuple[str, ...] = (), signing: tuple[str, ...] = ()) -> Keyring:
    return Keyring(service=service, operator=operator, signing=signing)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def submitted(service: Serving, **fields: Any) -> str:
    async with Api(service.url, SECRET) as caller:
        job_id: str = (await caller.submit("whose?", **fields))["id"]
        return job_id


REFUSED: dict[str, Headers] = {
    "nothing": [],
    "a wrong one": [("Authorization", "Bearer wrong")],
    "a wrong one in the other header": [(HEADER, "wrong")],
    "an empty one": [("Authorization", "Bearer")],
    "another scheme": [("Authorization", f"Basic {SECRET}")],
    "no scheme": [("Authorization", SECRET)],
    "a scheme in the other header": [(HEADER, RIGHT)],
    "one letter short": [("Authorization", RIGHT[:-1])],
    "one letter more": [("Authorization", RIGHT + "x")],
    "another case": [("Authorization", f"Bearer {SECRET.upper()}")],
    "two in one": [("Authorization", f"{RIGHT}, {RIGHT}")],
    "the right one twice": [("Authorization", RIGHT), ("Authorization", RIGHT)],
    "the right one twice in the other header": [(HEADER, SECRET), (HEADER, SECRET)],
    "a wrong one before the right one": [("Authorization", "Bearer wrong"), (HEADER, SECRET)],
    "another scheme before the right one": [("Authorization", "Basic x"), (HEADER, SECRET)],
    "not ASCII": [("Authorization", "Bearer \xff\xfe")],
    "not ASCII in the other header": [(HEADER, "s\xe9cret")],
    "513 bytes": [("Authorization", "Bearer " + "x" * 513)],
    "5,000 bytes": [(HEADER, "x" * 5000)],
    "dots": [("Authorization", "Bearer ..")],
}


@pytest.mark.parametrize("headers", REFUSED.values(), ids=REFUSED)
async def test_whoever_shows_no_valid_credential_first_is_refused(
    anyone: AsyncClient, redis: Client, headers: Headers
) -> None:
    """401 with the scheme that is wanted, and nothing is stored, for a submission as for anything else."""
    body = {"kind": "chat", "input": {"message": "x"}}
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    answers = [
        await anyone.post("/v1/jobs", json=body, headers=sent),
        await anyone.get("/v1/kinds", headers=sent),
        await anyone.get(f"/v1/jobs/{UNKNOWN}/stream", headers=sent),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert SECRET not in answer.text
    assert await redis.keys("js:*:job") == []


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", RIGHT)],
        [("Authorization", f"bearer   {SECRET} ".rstrip())],
        [(HEADER, SECRET)],
        [("Authorization", RIGHT), (HEADER, "wrong")],
    ],
    ids=["as a bearer", "in small letters", "in the old header", "first of two"],
)
async def test_the_right_secret_is_taken_from_either_header(anyone: AsyncClient, headers: Headers) -> None:
    assert (await anyone.get("/v1/kinds", headers=headers)).status_code == 200


async def test_a_service_without_a_secret_refuses_everybody_as_its_own_fault(
    store: ValkeyProcess, redis: Client
) -> None:
    """500 whatever is sent, since nobody can be checked; it still says that it is alive."""
    async with asked_with(store, keyring()) as anyone:
        answers = [
            await anyone.post("/v1/jobs", content=b"{", headers=headers)
            for headers in (
                {},
                bearer("x"),
                {HEADER: SECRET},
                bearer(KEYRING.stream_token(JobId("x"), seconds=60).token),
            )
        ]
        alive = await anyone.get("/healthz")

    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (500, "/problems/server-misconfigured")
    assert alive.status_code == 200


async def test_two_secrets_overlap_while_one_is_replaced(store: ValkeyProcess, redis: Client) -> None:
    """Both open the door, and tokens that the old one signed stay good."""
    before, during, after = keyring("old"), keyring("new", "old"), keyring("new")
    token = before.browser_token("user", ALL, seconds=60).token
    async with asked_with(store, during) as anyone:
        taken = [(await anyone.get("/v1/kinds", headers=bearer(each))).status_code for each in ("old", "new", token)]
    async with asked_with(store, after) as anyone:
        left = [(await anyone.get("/v1/kinds", headers=bearer(each))).status_code for each in ("old", "new", token)]

    assert taken == [200, 200, 200]
    assert left == [401, 200, 401]


async def test_an_operator_alone_can_submit(store: ValkeyProcess, redis: Client) -> None:
    """Tokens are signed where any secret is set: no job is made whose maker is then told of a fault."""
    async with asked_with(store, keyring(operator=("op",))) as anyone:
        body = {"kind": "chat", "input": {"message": "x"}}
        assert (await anyone.post("/v1/jobs", json=body, headers=bearer("op"))).status_code == 202


def _base64(value: object) -> str:
    return _spelled(json.dumps(value))


def _spelled(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("latin-1")).decode().rstrip("=")


def signed(claims: dict[str, Any], *, key: bytes | str, algorithm: str = "HS256") -> str:
    """Whatever the claims are: `jwt.encode` would refuse some."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), key, algorithm)


def forged(job_id: str) -> dict[str, str]:
    """Tokens that look like the job's own, and are not."""
    good = KEYRING.stream_token(JobId(job_id), seconds=3600).token
    head, claims, signature = good.split(".")
    key: bytes = KEYRING._signing[0]
    now = int(time.time())
    mine = {"aud": "stream", "job": job_id, "exp": now + 3600}
    return {
        "not signed": signed(mine, key="", algorithm="none"),
        "said to be not signed": f"{_base64({'alg': 'none'})}.{claims}.",
        "said to be not signed, but signed": f"{_base64({'alg': 'none'})}.{claims}.{signature}",
        "with another key": signed(mine, key=b"k" * 32),
        "with the secret itself": signed(mine, key=SECRET),
        "with another algorithm": signed(mine, key=key, algorithm="HS512"),
        "with claims of one's own": f"{head}.{_base64(mine | {'exp': now + 9999})}.{signature}",
        "without its signature": f"{head}.{claims}.",
        "with half its signature": good[:-20],
        "expired": signed(mine | {"exp": now - 31}, key=key),
        "for ever": signed({name: mine[name] for name in ("aud", "job")}, key=key),
        "with an end in words": signed(mine | {"exp": "tomorrow"}, key=key),
        "for nobody": signed({name: mine[name] for name in ("job", "exp")}, key=key),
        "for somebody else": signed(mine | {"aud": "elsewhere"}, key=key),
        "for several": signed(mine | {"aud": ["stream", "browser"]}, key=key),
        "not yet": signed(mine | {"nbf": now + 3600}, key=key),
        "of no job": signed(mine | {"job": None}, key=key),
        "of all scopes": signed(mine | {"aud": "browser", "scopes": "read"}, key=key),
        "with a deep header": f"{_spelled('[' * 2900)}.{claims}.{signature}",
        "with a header of nothing": f"{_spelled('null')}.{claims}.{signature}",
        "with claims too deep": f"{head}.{_spelled('[' * 2900)}.{signature}",
        "of no text": f"{head}.{_spelled(chr(0xFF))}.{signature}",
        "five parts": good + ".a.b",
    }


FORGED = tuple(forged("x" * 32))


@pytest.mark.parametrize("name", FORGED)
async def test_a_token_that_was_not_made_here_is_worth_nothing(
    service: Serving, anyone: AsyncClient, name: str
) -> None:
    """By header and in the URL."""
    job_id = await submitted(service)
    token = forged(job_id)[name]

    by_header = await anyone.get(f"/v1/jobs/{job_id}", headers=bearer(token))
    by_url = await anyone.get(f"/v1/jobs/{job_id}/stream", params={"token": token})

    assert (by_header.status_code, by_url.status_code) == (401, 401)


async def test_a_token_in_the_url_opens_streams_alone(service: Serving, anyone: AsyncClient) -> None:
    """An address ends up in logs and histories; only EventSource has no other way."""
    job_id = await submitted(service)
    token = service.parts.keyring.stream_token(JobId(job_id), seconds=60).token
    own = f"/v1/jobs/{job_id}"

    stream = await anyone.head(f"{own}/stream", params={"token": token})
    behind_a_wrong_one = await anyone.head(f"{own}/stream", params={"token": token}, headers=bearer("wrong"))
    others = [
        await anyone.request(method, path, params={"token": token})
        for method, path in (
            ("GET", own),
            ("GET", f"{own}/updates"),
            ("POST", f"{own}/token"),
            ("POST", f"{own}/cancel"),
        )
    ]

    assert (stream.status_code, behind_a_wrong_one.status_code) == (200, 401)
    assert [other.status_code for other in others] == [401] * len(others)


COOKIES: dict[str, tuple[dict[str, str], int]] = {
    "from our own page": ({"Sec-Fetch-Site": "same-origin"}, 200),
    "from a page next door": ({"Sec-Fetch-Site": "same-site"}, 401),
    "from elsewhere": ({"Sec-Fetch-Site": "cross-site"}, 401),
    "typed by hand": ({"Sec-Fetch-Site": "none"}, 401),
    "from elsewhere, with our origin": ({"Sec-Fetch-Site": "cross-site", "Origin": "{own}"}, 401),
    "without a word of where from": ({}, 401),
    "with our origin": ({"Origin": "{own}"}, 200),
    "with another origin": ({"Origin": "https://evil.example"}, 401),
    "with another port": ({"Origin": "http://127.0.0.1:1"}, 401),
    "with an origin before ours": ({"Origin": "{own}.evil.example"}, 401),
    "with ours as a name": ({"Origin": "http://{host}@evil.example"}, 401),
    "with no origin": ({"Origin": "null"}, 401),
    "with an origin that is none": ({"Origin": "http://["}, 401),
}


@pytest.mark.parametrize("name", COOKIES)
async def test_the_cookie_counts_where_our_own_page_sent_it(service: Serving, anyone: AsyncClient, name: str) -> None:
    """What another site makes a browser send is no will of its user's."""
    headers, status = COOKIES[name]
    host = service.url.removeprefix("http://")
    cookie = service.parts.keyring.browser_token("user", ALL, seconds=60).token
    sent = {key: value.format(own=service.url, host=host) for key, value in headers.items()}

    answer = await anyone.get("/v1/kinds", headers={"Cookie": f"{COOKIE}={cookie}", **sent})

    assert answer.status_code == status


async def test_a_wrong_header_is_not_mended_by_a_good_cookie(service: Serving, anyone: AsyncClient) -> None:
    cookie = service.parts.keyring.browser_token("user", ALL, seconds=60).token
    headers = {"Cookie": f"{COOKIE}={cookie}", "Sec-Fetch-Site": "same-origin", **bearer("wrong")}

    assert (await anyone.get("/v1/kinds", headers=headers)).status_code == 401


def whole(answer: Response) -> tuple[int, bytes, dict[str, str]]:
    """All that an answer says, but for when."""
    return answer.status_code, answer.content, {**answer.headers, "date": ""}


ROUTES = [
    ("GET", ""), ("GET", "/stream"), ("HEAD", "/stream"), ("GET", "/updates"),
    ("POST", "/cancel"), ("POST", "/token"), ("POST", "/retry"), ("DELETE", ""),
]  # fmt: skip
STRANGERS = {
    "who may do all": ALL,
    "who may read": frozenset({"read"}),
    "who may cancel": frozenset({"cancel"}),
    "who may submit": frozenset({"submit:chat"}),
    "with another job's token": None,
}


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
@pytest.mark.parametrize("scopes", STRANGERS.values(), ids=STRANGERS)
async def test_a_job_of_others_is_like_one_that_never_was(
    service: Serving, anyone: AsyncClient, method: str, path: str, scopes: frozenset[str] | None
) -> None:
    """404 to the last byte, for any credential that does not own it: nobody learns which ids there are."""
    theirs, mine = await submitted(service, subject="them"), await submitted(service, subject="me")
    keyring = service.parts.keyring
    token = (
        keyring.browser_token("me", scopes, seconds=60) if scopes else keyring.stream_token(JobId(mine), seconds=60)
    )
    headers = {**bearer(token.token), "X-Request-ID": "the-same"}

    answers = [
        whole(await anyone.request(method, f"/v1/jobs/{job_id}{path}", headers=headers))
        for job_id in (UNKNOWN, theirs, "x", "y" * 65, "%00" * 16, "é" * 20, "a b" * 8, "*" * 20)
    ]

    assert answers[0][0] == 404
    assert method == "HEAD" or json.loads(answers[0][1])["type"] == "/problems/job-not-found"
    assert answers == answers[:1] * len(answers)


OWN = {
    ("GET", ""): "read", ("HEAD", "/stream"): "read", ("POST", "/token"): "read", ("POST", "/cancel"): "cancel",
}  # fmt: skip


@pytest.mark.parametrize("scope", ["read", "cancel", "submit:chat"])
async def test_a_scope_opens_what_it_names_and_nothing_else(
    service: Serving, anyone: AsyncClient, scope: str
) -> None:
    """On one's own job; the rest is told as forbidden."""
    job_id = await submitted(service, subject="me")
    headers = bearer(service.parts.keyring.browser_token("me", frozenset({scope}), seconds=60).token)

    statuses = {
        (method, path): (await anyone.request(method, f"/v1/jobs/{job_id}{path}", headers=headers)).status_code
        for method, path in OWN
    }

    assert statuses == {route: _success(route) if needed == scope else 403 for route, needed in OWN.items()}


async def test_a_browser_submits_for_itself_and_what_it_may(service: Serving, anyone: AsyncClient) -> None:
    """Its job is its subject's, whether it says so or not."""
    browser = service.parts.keyring.browser_token("me", frozenset({"submit:chat"}), seconds=60)
    reader = service.parts.keyring.browser_token("me", frozenset({"read", "submit:other"}), seconds=60)

    async def submit(token: str, **fields: str) -> Response:
        body = {"kind": "chat", "input": {"message": "x"}} | fields
        return await anyone.post("/v1/jobs", json=body, headers=bearer(token))

    assert (await submit(browser.token)).json()["subject"] == "me"
    assert (await submit(browser.token, subject="me")).status_code == 202
    assert (await submit(browser.token, subject="them")).status_code == 403
    assert (await submit(reader.token)).status_code == 403


def _success(route: tuple[str, str]) -> int:
    return {"/token": 201, "/cancel": 202}.get(route[1], 200)
