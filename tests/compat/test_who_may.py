"""Who may call which of the old paths, as one table beside that of the native routes."""

import base64
from collections.abc import AsyncIterator

import pytest
from fastapi.routing import iter_route_contexts

from jobs.connection import Client
from jobs.model import JsonObject
from service.auth import submit
from service.routes.compat import compat_router
from tests.api import Api
from tests.compat.front_ends import FUNCTIONS
from tests.jobs.doors import Doors
from tests.journeys.pictures import as_file, drawing
from tests.service.edge import ALL_SCOPES, edge
from tests.service.test_who_may import (
    CALLERS,
    HAS_THE_SCOPE,
    OK,
    OWNS_THE_EVENT,
    READS_IT,
    UNKNOWN,
    Route,
    Scene,
    told,
    whole,
)
from tests.system import SECRET
from tests.valkey import ValkeyProcess

DIAGRAM = base64.b64encode(as_file(drawing())).decode()
ASKED: JsonObject = {"message": "Whose?"}
SECRETS_ALONE = told(401, 401, OK, OK, 403, 403, 403, 403, 403)

READS_BY_ID = READS_IT | {"owner of nothing": 403, "stranger": 404, "holder of another": 404}


def background(name: str, **body: object) -> tuple[tuple[str, str], Route]:
    """A page starts it where its token names the kind."""
    expected = HAS_THE_SCOPE if submit(name) in ALL_SCOPES else SECRETS_ALONE
    return ("POST", f"{FUNCTIONS}/{name}-background"), Route(expected, 202, body=body)


ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/api/ai/chat"): Route(HAS_THE_SCOPE, 202, body=ASKED),
    ("GET", "/api/ai/chat/status"): Route(READS_BY_ID, 200, query="?id={id}"),
    ("POST", f"{FUNCTIONS}/ai-chat-background"): Route(HAS_THE_SCOPE, 202, body=ASKED),
    ("GET", f"{FUNCTIONS}/check-job-status"): Route(READS_BY_ID, 200, query="?jobId={id}"),
    ("GET", f"{FUNCTIONS}/simple-status"): Route(
        told(401, 401, 404, 404, 404, 403, 404, 404, 404), 200, query="?jobId={id}"
    ),
    ("POST", f"{FUNCTIONS}/copy-taskdetail"): Route(told(401, 401, *[404] * 7), 404, body={}),
    ("POST", f"{FUNCTIONS}/async-workloads/send"): Route(
        HAS_THE_SCOPE, 202, body={"eventName": "chat", "eventData": ASKED}
    ),
    ("GET", f"{FUNCTIONS}/async-workloads/events/{{event_id}}"): Route(OWNS_THE_EVENT, 200, Scene.event),
    **dict(
        [
            background("transcript-to-journey", transcript="We met."),
            background("diagram-to-journey", image=DIAGRAM),
            background("summarize-session", sessionId="s-1"),
            background("summarize-tree", treeId="t-1"),
            background("generate-insights", systemId="b-1", analysisData={"a": [1]}),
        ]
    ),
}


@pytest.fixture
async def scene(store: ValkeyProcess, redis: Client, doors: Doors) -> AsyncIterator[Scene]:
    async with edge(store.url) as service, Api(service.url, SECRET) as server:
        yield Scene(service, doors, server.http)


def test_the_table_names_every_old_path() -> None:
    """A new one says here who may call it."""
    routes = list(iter_route_contexts(compat_router(None).routes))

    assert {(method, route.path) for route in routes for method in route.methods or ()} == ROUTES.keys()


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
async def test_each_caller_is_let_in_where_the_table_says(scene: Scene, method: str, path: str) -> None:
    """And what is not its own looks like what never was, to the last byte."""
    route = ROUTES[method, path]
    answered = {}
    for name, credential in CALLERS.items():
        about = await route.about(scene)
        url, never = ((path + route.query).format(id=each, event_id=each) for each in (about, UNKNOWN[::-1].upper()))
        async with Api(scene.service.url, credential(about)) as anyone:
            anyone.http.headers["X-Request-ID"] = "the-same"
            answer = await anyone.http.request(method, url, json=route.body)
            answered[name] = answer.status_code
            if answer.status_code == 404:
                assert whole(answer) == whole(await anyone.http.request(method, never, json=route.body)), name

    assert answered == {name: status or route.status for name, status in route.expected.items()}
