"""Who may operate: every route of the operator's against every credential, switched on and switched off."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx2 import Response
from websockets.asyncio.client import connect

from jobs.connection import Client
from jobs.endpoints import Endpoints
from jobs.model import JobId, JsonObject
from service.app import create_app
from service.auth import COOKIE, OPERATOR_COOKIE
from tests.api import Api
from tests.jobs.doors import Doors
from tests.operator.asking import CHAT, failed
from tests.service.edge import ALL_SCOPES, KEYRING, OPERATOR_SECRET, Edge, edge
from tests.system import ROOT, SECRET
from tests.transports.sockets import hear, names
from tests.valkey import ValkeyProcess

SHELL = ROOT / "web" / "operator" / "index.html"
HERE = {"Sec-Fetch-Site": "same-origin"}
ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"}
UNKNOWN = "u" * 32
IN_URL = "token"
"""Where a stream's credential may be, and no other."""


def page(job: str) -> str:
    return KEYRING.browser_token("one", ALL_SCOPES, seconds=600).token


def watcher(job: str) -> str:
    return KEYRING.stream_token(JobId(job), seconds=600).token


def session(job: str) -> str:
    return KEYRING.operator_token(seconds=600).token


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def cookie(name: str, value: str) -> dict[str, str]:
    return {"Cookie": f"{name}={value}"}


CALLERS: dict[str, Callable[[str], dict[str, str]]] = {
    "nobody": lambda _: {},
    "the service": lambda _: bearer(SECRET),
    "the operator": lambda _: bearer(OPERATOR_SECRET),
    "a page": lambda job: bearer(page(job)),
    "a watcher": lambda job: bearer(watcher(job)),
    "a page's cookie": lambda job: cookie(COOKIE, page(job)) | HERE,
    "the operator's cookie": lambda job: cookie(OPERATOR_COOKIE, session(job)) | HERE,
    "its cookie, from another site": lambda job: cookie(OPERATOR_COOKIE, session(job)) | ELSEWHERE,
    "its cookie, from nowhere": lambda job: cookie(OPERATOR_COOKIE, session(job)),
    "its cookie as a bearer": lambda job: bearer(session(job)),
    "the operator, in the address": lambda _: {IN_URL: OPERATOR_SECRET},
}

REFUSED = {
    "nobody": 401,
    "the service": 403,
    "a page": 403,
    "a watcher": 403,
    "a page's cookie": 403,
    "its cookie, from another site": 401,
    "its cookie, from nowhere": 401,
    "its cookie as a bearer": 401,
    "the operator, in the address": 401,
}
FROM_ELSEWHERE = "its cookie, from another site"
TURNED_AWAY = {FROM_ELSEWHERE: 403}
"""Where a page would act or listen, before anybody asks for its credential."""


async def _queued(doors: Doors) -> str:
    return await doors.submit(CHAT, subject="one")


async def _failed(doors: Doors) -> str:
    return await failed(doors, subject="one")


async def _told(doors: Doors) -> str:
    """A job whose end is to be told."""
    endpoint = Endpoints().read("https://hooks.example.com/in")
    job_id = await doors.submit(CHAT, subject="one", webhook=endpoint)
    await doors.queue.cancel(job_id)
    return job_id


@dataclass(frozen=True)
class Route:
    """What the operator is answered; `about` makes the job that the path names."""

    status: int = 200
    about: Callable[[Doors], Awaitable[str]] = _queued
    body: JsonObject | None = None


LETTERS: JsonObject = {"kind": "chat", "type": "timeout"}

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/v1/operator/figures"): Route(),
    ("HEAD", "/v1/operator/stream"): Route(),
    ("GET", "/v1/operator/jobs"): Route(),
    ("HEAD", "/v1/operator/jobs/stream"): Route(400),  # it names no job
    ("GET", "/v1/operator/jobs/{job_id}"): Route(),
    ("HEAD", "/v1/operator/jobs/{job_id}/stream"): Route(),
    ("GET", "/v1/operator/jobs/{job_id}/updates"): Route(),
    ("GET", "/v1/operator/jobs/{job_id}/contents"): Route(),
    ("POST", "/v1/operator/jobs/{job_id}/cancel"): Route(202),
    ("POST", "/v1/operator/jobs/{job_id}/retry"): Route(202, _failed),
    ("GET", "/v1/operator/dead-letters"): Route(),
    ("POST", "/v1/operator/dead-letters/retry"): Route(body=LETTERS),
    ("POST", "/v1/operator/dead-letters/delete"): Route(body=LETTERS),
    ("GET", "/v1/operator/kinds"): Route(),
    ("POST", "/v1/operator/kinds/{name}/pause"): Route(),
    ("POST", "/v1/operator/kinds/{name}/resume"): Route(),
    ("GET", "/v1/operator/schedules"): Route(),
    ("POST", "/v1/operator/schedules/{schedule}/run"): Route(202),
    ("GET", "/v1/operator/deliveries"): Route(),
    ("POST", "/v1/operator/deliveries/{delivery_id}/retry"): Route(202, _told),
    ("GET", "/v1/operator/audit"): Route(),
    ("POST", "/v1/operator/sign-out"): Route(204),
}
OPEN = ("/operator", "/operator/vendor/{path}")
NOT_ON_THE_LIST = {("GET", f"/v1/operator/{path}") for path in ("stream", "jobs/stream", "jobs/{job_id}/stream")}
"""They do not end by themselves; what is refused there is refused to `HEAD` too."""


def operators(app: FastAPI) -> set[tuple[str, str]]:
    """Every route of the operator's that the application has."""
    return {
        (method, str(route.path).replace(":path}", "}"))
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if "/operator" in str(route.path)
    }


def test_the_table_names_every_route_of_the_operators(operated: Edge) -> None:
    """A new one says here what it answers; nothing else is open."""
    served = operators(create_app(operated.parts, web=None, operator=ROOT / "web"))
    named = {(method, path.replace("{schedule}", "{name}")) for method, path in ROUTES} | NOT_ON_THE_LIST

    assert served - {("GET", path) for path in OPEN} == named


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
async def test_only_the_operator_gets_through(operated: Edge, doors: Doors, method: str, path: str) -> None:
    """By its secret, or by its cookie from our own page."""
    route, answered = ROUTES[method, path], {}
    async with Api(operated.url, None) as anyone:
        for name, caller in CALLERS.items():
            about = await route.about(doors)
            answered[name] = (await send(anyone, method, path, caller(about), about)).status_code

    admitted = dict.fromkeys(("the operator", "the operator's cookie"), route.status)
    refused = REFUSED | (TURNED_AWAY if acts_or_listens(method, path) else {})
    assert answered == admitted | refused


async def test_where_it_is_switched_off_nothing_of_it_is_there(
    store: ValkeyProcess, redis: Client, doors: Doors
) -> None:
    """Not even for its operator: each path is answered as one that never was."""
    everything = [*ROUTES, ("GET", "/operator"), ("GET", "/operator/files/operator/index.html")]
    job_id = await failed(doors)
    async with edge(store.url) as service, Api(service.url, None) as anyone:
        for name, caller in CALLERS.items():
            for method, path in everything:
                answer = await send(anyone, method, path, caller(job_id), job_id)
                turned_away = name == FROM_ELSEWHERE and acts_or_listens(method, path)
                assert answer.status_code == (403 if turned_away else 404), (name, method, path)


def acts_or_listens(method: str, path: str) -> bool:
    return method == "POST" or path.endswith("/stream")


async def send(anyone: Api, method: str, path: str, credential: dict[str, str], about: str) -> Response:
    """The answer to who has the credential, about the job or delivery that the path names."""
    body = ROUTES.get((method, path), Route()).body
    headers = {name: value for name, value in credential.items() if name != IN_URL}
    query = {IN_URL: credential[IN_URL]} if IN_URL in credential else {}
    url = path.format(job_id=about, delivery_id=f"{about}-1", name="chat", schedule="nightly-summaries")
    return await anyone.http.request(method, url, headers=headers, params=query, json=body)


async def test_what_does_not_exist_is_said_to_the_operator_alone(operated: Edge, operator: Api) -> None:
    """Unknown jobs, kinds and schedules are 404 for it; for others the credential is what is wrong."""
    paths = [f"jobs/{UNKNOWN}/cancel", "jobs/short/cancel", "kinds/none/pause", "schedules/none/run"]
    async with Api(operated.url, SECRET) as server:
        for path in paths:
            assert (await operator.http.post(f"/v1/operator/{path}")).status_code == 404
            assert (await server.http.post(f"/v1/operator/{path}")).status_code == 403
    assert (await operator.http.get("/v1/operator/audit")).json()["items"] == []


async def test_the_operators_cookie_follows_a_job_and_reads_its_log(operated: Edge, doors: Doors) -> None:
    """As a client would; the job itself is still no concern of that cookie."""
    job = await doors.submit(CHAT, subject="one")
    async with Api(operated.url, None) as browser:
        browser.http.headers.update(cookie(OPERATOR_COOKIE, session(job)) | HERE)
        paths = (f"/v1/jobs/{job}/stream", f"/v1/stream?job={job}", f"/v1/jobs/{job}/updates")
        statuses = [(await browser.http.head(path)).status_code for path in paths[:2]]
        statuses += [(await browser.http.get(path)).status_code for path in (paths[2], f"/v1/jobs/{job}")]

    assert statuses == [200, 200, 200, 401]


async def test_the_operators_cookie_opens_no_websocket(operated: Edge, doors: Doors) -> None:
    """There a job can be cancelled without a note; a page in the same browser goes on by its own cookie."""
    job = await doors.submit(CHAT, subject="one")
    operators, pages = f"{OPERATOR_COOKIE}={session(job)}", f"{COOKIE}={page(job)}"
    url = f"{operated.url.replace('http', 'ws', 1)}/v1/jobs/{job}/ws"
    async with connect(url, additional_headers=HERE | {"Cookie": operators}, proxy=None) as refused:
        await hear(refused, "snapshot")
    async with connect(url, additional_headers=HERE | {"Cookie": f"{operators}; {pages}"}, proxy=None) as followed:
        heard = await hear(followed, "snapshot")

    assert (refused.close_code, names(heard)) == (4401, ["snapshot"])


async def test_a_session_that_has_ended_takes_no_stream_from_a_page_in_the_same_browser(
    operated: Edge, doors: Doors
) -> None:
    """The page's own cookie counts there; on the operator's paths it counts for nothing."""
    job = await doors.submit(CHAT, subject="one")
    ended = KEYRING.operator_token(seconds=-600).token
    both = {"Cookie": f"{OPERATOR_COOKIE}={ended}; {COOKIE}={page(job)}"} | HERE
    async with Api(operated.url, None) as browser:
        statuses = [
            (await browser.http.head(f"/v1/jobs/{job}/stream", headers=both)).status_code,
            (await browser.http.get(f"/v1/jobs/{job}/updates", headers=both)).status_code,
            (await browser.http.get("/v1/operator/figures", headers=both)).status_code,
        ]

    assert statuses == [200, 200, 401]


async def test_signing_out_takes_the_cookie_away(operated: Edge) -> None:
    """The browser is told to forget it."""
    async with Api(operated.url, None) as browser:
        answer = await browser.http.post("/v1/operator/sign-out", headers=cookie(OPERATOR_COOKIE, session("")) | HERE)

    assert answer.headers["set-cookie"].startswith(f'{OPERATOR_COOKIE}="";')
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_the_shell_is_for_anybody_and_holds_nothing(operated: Edge) -> None:
    """Its modules and libraries too; its policy lets nothing run but those."""
    async with Api(operated.url, None) as anyone:
        shell = await anyone.http.get("/operator")
        module = await anyone.http.get("/operator/files/operator/app.js")
        library = await anyone.http.get("/operator/vendor/preact/dist/preact.mjs")
        hidden = [
            (await anyone.http.get(f"/operator/{path}")).status_code
            for path in (
                "files/package.json",
                "files/node_modules/preact/package.json",
                "vendor/../secret",
                "vendor/",
            )
        ]

    policy = shell.headers["content-security-policy"]
    assert [each.status_code for each in (shell, module, library)] == [200, 200, 200]
    assert shell.text == SHELL.read_text()
    assert "set-cookie" not in shell.headers
    assert "default-src 'none'; script-src 'self' 'sha256-" in policy
    assert "unsafe" not in policy
    assert hidden == [404, 404, 404, 404]
