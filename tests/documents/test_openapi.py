"""The OpenAPI document: valid, complete, and true of what the routes answer."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest
from fastapi.routing import iter_route_contexts
from openapi_spec_validator import OpenAPIV31SpecValidator

from jobs.conversations import Conversations
from jobs.kind import Round, Turn
from jobs.kinds import KINDS
from jobs.model import Failure, JsonObject
from service.app import create_app
from tests.api import Api
from tests.documents.schemas import wrong
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.service.serving import Serving

OPEN = {"GET /healthz", "GET /readyz"}
LEFT_OUT = ("/openapi.json", "/asyncapi.json", "/api/", "/ag-ui/", "/openai/", "/.netlify/")

CHAT = {"kind": "chat", "input": {"message": "Hello"}}
FAILURE = Failure(type="timeout", title="t", detail="d", retryable=False)


async def test_the_document_is_valid(openapi: JsonObject) -> None:
    """By the OpenAPI 3.1 specification."""
    assert [error.message for error in OpenAPIV31SpecValidator(openapi).iter_errors()] == []


async def test_every_operation_says_who_may_call_it_what_it_answers_and_how_it_refuses(openapi: JsonObject) -> None:
    """Nothing is left to be guessed: each success has a schema or no body at all."""
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    }
    assert len(operations) >= 20
    for name, operation in operations.items():
        assert operation["summary"], name
        assert "security" in operation, name
        assert "application/problem+json" in operation["responses"]["default"]["content"], name
        for status, response in operation["responses"].items():
            for media_type, content in response.get("content", {}).items():
                assert content.get("schema") or media_type == "text/event-stream", (name, status)
            assert response.get("content") or status in ("204", "304"), (name, status)
    assert {name for name, operation in operations.items() if not operation["security"]} == OPEN
    assert operations["GET /metrics"]["security"] == [{"bearer": []}], "no cookie, and no other secret's header"


def test_every_route_of_its_own_is_in_the_document(service: Serving, openapi: JsonObject) -> None:
    """What is left out speaks another's protocol, or is one of the documents."""
    app = create_app(service.parts, web=None)
    routes = [route for route in iter_route_contexts(app.routes) if not (route.path or "").startswith(LEFT_OUT)]

    served = {
        (method, str(route.path).replace(":path}", "}"))
        for route in routes
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert served == {(method.upper(), path) for path, methods in openapi["paths"].items() for method in methods}


Ask = Callable[[httpx2.AsyncClient, Doors], Awaitable[httpx2.Response]]


async def failed(doors: Doors) -> str:
    claim = await doors.running(KINDS["chat"])
    for line in (lines.begun("openai"), lines.kept("fetch", 1), lines.progress(10)):
        await doors.append(claim, line)
    await doors.append(claim, lines.end("failed", failure=FAILURE))
    return claim.job_id


async def submitted(http: httpx2.AsyncClient) -> str:
    job_id: str = (await http.post("/v1/jobs", json=CHAT)).json()["id"]
    return job_id


async def event(http: httpx2.AsyncClient) -> str:
    event_id: str = (await http.post("/v1/events", json={"name": "chat", "data": CHAT["input"]})).json()["event_id"]
    return event_id


ASKED: dict[tuple[str, str], Ask] = {
    ("POST", "/v1/jobs"): lambda http, _: http.post("/v1/jobs", json=CHAT),
    ("GET", "/v1/kinds"): lambda http, _: http.get("/v1/kinds"),
    ("GET", "/healthz"): lambda http, _: http.get("/healthz"),
    ("GET", "/readyz"): lambda http, _: http.get("/readyz"),
    ("DELETE", "/v1/subjects/{subject}"): lambda http, _: http.delete("/v1/subjects/one"),
    ("POST", "/v1/tokens"): lambda http, _: http.post("/v1/tokens", json={"subject": "one", "scopes": ["read"]}),
    ("POST", "/v1/events"): lambda http, _: http.post("/v1/events", json={"name": "x", "data": {}}),
}


async def _of_failed(method: str, path: str, http: httpx2.AsyncClient, doors: Doors) -> httpx2.Response:
    return await http.request(method, path.format(job_id=await failed(doors)))


async def _of_event(http: httpx2.AsyncClient, _: Doors) -> httpx2.Response:
    return await http.get(f"/v1/events/{await event(http)}")


async def _counts(http: httpx2.AsyncClient, doors: Doors) -> httpx2.Response:
    await failed(doors)
    return await http.get("/v1/dead-letters?group=error")


async def _of_conversation(http: httpx2.AsyncClient, doors: Doors) -> httpx2.Response:
    claim = await doors.running(KINDS["chat"])
    said = Round((Turn("user", "Hello"),), {"openai": "Hi."})
    await Conversations(doors.client).add(claim, "talk", said)
    return await http.get("/v1/conversations/talk")


async def _conversations(http: httpx2.AsyncClient, doors: Doors) -> httpx2.Response:
    await _of_conversation(http, doors)
    return await http.get("/v1/conversations")


async def _of_session(http: httpx2.AsyncClient, _: Doors) -> httpx2.Response:
    messages = [
        {"role": "user", "content": "Hello", "at": "2026-11-21T22:33:05Z"},
        {"role": "tool", "content": "Hi."},
    ]
    await http.put("/v1/sessions/s", json={"messages": messages, "tree_id": "t"})
    return await http.get("/v1/sessions/s")


async def _of_tree(http: httpx2.AsyncClient, doors: Doors) -> httpx2.Response:
    await _of_session(http, doors)
    return await http.get("/v1/trees/t")


async def _preflight(http: httpx2.AsyncClient, doors: Doors) -> httpx2.Response:
    await _of_session(http, doors)
    return await http.post("/v1/trees/t/preflight")


def _asks(method: str, path: str) -> Ask:
    async def ask(http: httpx2.AsyncClient, doors: Doors) -> httpx2.Response:
        return await _of_failed(method, path, http, doors)

    return ask


ASKED |= {
    (method, path): _asks(method, path)
    for method, path in (
        ("GET", "/v1/jobs"),
        ("GET", "/v1/dead-letters"),
        ("GET", "/v1/jobs/{job_id}"),
        ("GET", "/v1/jobs/{job_id}/updates"),
        ("POST", "/v1/jobs/{job_id}/cancel"),
        ("POST", "/v1/jobs/{job_id}/retry"),
        ("POST", "/v1/jobs/{job_id}/token"),
        ("GET", "/v1/dead-letters/{job_id}"),
        ("POST", "/v1/dead-letters/{job_id}/retry"),
    )
} | {
    ("GET", "/v1/events/{event_id}"): _of_event,
    ("GET", "/v1/conversations"): _conversations,
    ("GET", "/v1/sessions/{session_id}"): _of_session,
    ("GET", "/v1/trees/{tree_id}"): _of_tree,
    ("POST", "/v1/trees/{tree_id}/preflight"): _preflight,
    ("GET", "/v1/conversations/{conversation_id}"): _of_conversation,
}


@pytest.mark.parametrize(("method", "path"), [*ASKED, ("GROUP", "/v1/dead-letters")], ids=str)
async def test_what_a_route_answers_is_what_its_document_says(
    method: str, path: str, caller: Api, openapi: JsonObject, doors: Doors
) -> None:
    """Field by field, and no field that the document does not name."""
    ask, method = (_counts, "GET") if method == "GROUP" else (ASKED[method, path], method)

    answer = await ask(caller.http, doors)

    response = openapi["paths"][path][method.lower()]["responses"][str(answer.status_code)]
    schema = response["content"]["application/json"]["schema"]
    assert wrong(answer.json(), schema, openapi) == []
    assert answer.headers["X-Request-ID"]


async def test_a_refusal_is_the_problem_that_the_document_describes(caller: Api, openapi: JsonObject) -> None:
    """Also one that names fields."""
    for answer in (
        await caller.http.get("/v1/jobs/no-such-job-is-here"),
        await caller.http.post("/v1/jobs", json={"kind": "chat", "input": {}, "surprise": 1}),
    ):
        assert answer.is_error
        assert wrong(answer.json(), {"$ref": "#/components/schemas/Problem"}, openapi) == []
