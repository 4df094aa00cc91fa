"""Who may call which route of the dialects, as one table beside that of the native routes."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest
from fastapi.routing import APIRoute

from jobs.connection import Client
from jobs.model import JobId, JsonObject
from service.routes.dialects import ag_ui, ai_sdk, openai_responses
from service.threads import Threads
from tests.api import Api
from tests.jobs.doors import Doors
from tests.service.edge import edge
from tests.service.test_who_may import CALLERS, HAS_THE_SCOPE, OK, OWNS_IT, READS_IT, Scene, told
from tests.system import SECRET
from tests.valkey import ValkeyProcess

TEXT: JsonObject = {"type": "text", "text": "Whose?"}
ASKED: JsonObject = {"id": "chat", "messages": [{"id": "1", "role": "user", "parts": [TEXT]}]}
RUN: JsonObject = {"threadId": "thread", "runId": "r", "messages": [{"id": "1", "role": "user", "content": "Whose?"}]}
REPEATED = ("instructions", "max_output_tokens", "model")
OWN_THREAD = told(401, 401, 204, 204, OK, 403, 204, 403, 403)
"""A thread is its subject's: whoever else names it has none of that name."""
ANY_THREAD = told(401, 401, OK, OK, OK, 403, OK, 403, 403)


@dataclass(frozen=True)
class Route:
    """Who gets through, and what they are answered; `about` makes what the path names."""

    expected: dict[str, int]
    status: int = 200
    about: Callable[[Scene], Awaitable[str]] = Scene.queued
    body: JsonObject | None = None
    query: str = ""


async def chat(scene: Scene) -> str:
    """A job that is asked in a chat of its own id."""
    job = await scene.queued()
    await Threads(scene.doors.client, ai_sdk.DIALECT).begin("one", job, JobId(job))
    return job


ROUTES: dict[tuple[str, str], Route] = {
    ("POST", "/api/chat"): Route(HAS_THE_SCOPE, body=ASKED),
    ("GET", "/api/chat/{chat_id}/stream"): Route(OWN_THREAD, about=chat),
    ("POST", "/api/chat/{chat_id}/stop"): Route(ANY_THREAD, about=chat),
    ("POST", "/ag-ui/agent"): Route(HAS_THE_SCOPE, body=RUN),
    ("POST", "/ag-ui/agent/connect"): Route(ANY_THREAD, body=RUN),
    ("POST", "/openai/v1/responses"): Route(HAS_THE_SCOPE, body={"input": "Whose?", "background": True}),
    ("GET", "/openai/v1/responses/{response_id}"): Route(READS_IT, query="?stream=true"),
    ("POST", "/openai/v1/responses/{response_id}/cancel"): Route(OWNS_IT, about=Scene.cancelled),
    ("DELETE", "/openai/v1/responses/{response_id}"): Route(OWNS_IT, about=Scene.cancelled),
}


@pytest.fixture
async def scene(store: ValkeyProcess, redis: Client, doors: Doors) -> AsyncIterator[Scene]:
    async with edge(store.url) as service, Api(service.url, SECRET) as server:
        yield Scene(service, doors, server.http)


def test_the_table_names_every_route_of_the_dialects() -> None:
    """A new one says here who may call it."""
    routes = [
        route
        for dialect in (ai_sdk, ag_ui, openai_responses)
        for route in dialect.router.routes
        if isinstance(route, APIRoute)
    ]

    assert {(method, route.path) for route in routes for method in route.methods or ()} == ROUTES.keys()


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
async def test_each_caller_is_let_in_where_the_table_says(scene: Scene, method: str, path: str) -> None:
    """What is asked in a stream goes on, so that nobody waits for its end."""
    route = ROUTES[method, path]
    answered = {}
    for name, credential in CALLERS.items():
        about = await route.about(scene)
        url = (path + route.query).format(chat_id=about, response_id=about)
        async with (
            Api(scene.service.url, credential(about)) as anyone,
            anyone.http.stream(method, url, json=route.body) as answer,
        ):
            answered[name] = answer.status_code

    assert answered == {name: status or route.status for name, status in route.expected.items()}


async def test_nobody_stops_the_chat_of_another(scene: Scene) -> None:
    """Whoever tries is told what the owner is told, and nothing happens."""
    for name in ("service", "stranger"):
        about = await chat(scene)
        async with Api(scene.service.url, CALLERS[name](about)) as anyone:
            answer = await anyone.http.post(f"/api/chat/{about}/stop")
        job = (await scene.server.get(f"/v1/jobs/{about}")).json()
        assert (answer.json(), job["state"]) == ({"success": True}, "queued")


async def test_a_stream_token_is_not_told_what_the_job_was_given(scene: Scene) -> None:
    """Neither by the response nor by its events; who may ask for the like is told all of it."""
    given = {"input": "Whose?", "instructions": "Be secret.", "max_output_tokens": 77, "model": "openai/hidden"}
    created = await scene.server.post("/openai/v1/responses", json={**given, "background": True})
    response = f"/openai/v1/responses/{created.json()['id']}"
    repeated = {}
    for name in ("service", "holder"):
        async with Api(scene.service.url, CALLERS[name](created.json()["id"])) as anyone:
            whole = (await anyone.http.get(response)).json()
            async with anyone.http.stream("GET", f"{response}?stream=true") as stream:
                first = await anext(line async for line in stream.aiter_lines() if line.startswith("data: "))
        told = json.loads(first.removeprefix("data: "))["response"]
        repeated[name] = [[each[field] for field in REPEATED] for each in (whole, told)]

    assert repeated == {
        "service": [["Be secret.", 77, "openai/hidden"]] * 2,
        "holder": [[None, None, "unknown"]] * 2,
    }
