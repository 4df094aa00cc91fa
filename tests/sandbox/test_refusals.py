"""Bad requests are answered as the provider would, with an error body of its own shape."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.sandbox.server import Sandbox


@dataclass(frozen=True)
class Api:
    """Where an API is, what it takes, and where its errors have their kind."""

    path: str
    key: Mapping[str, str]
    body: Mapping[str, object]
    kind: str
    invalid: object
    unauthorized: int = 401


_BEARER = {"authorization": "Bearer any"}
APIS = {
    "responses": Api("/v1/responses", _BEARER, {"model": "m", "input": "Hi"}, "type", "invalid_request_error"),
    "chat": Api(
        "/v1/chat/completions",
        _BEARER,
        {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
        "type",
        "invalid_request_error",
    ),
    "anthropic": Api(
        "/v1/messages",
        {"x-api-key": "any"},
        {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
        "type",
        "invalid_request_error",
    ),
    "google": Api(
        "/v1beta/models/m:generateContent",
        {"x-goog-api-key": "any"},
        {"contents": [{"parts": [{"text": "Hi"}]}]},
        "status",
        "INVALID_ARGUMENT",
        unauthorized=403,
    ),
}


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest) -> Api:
    api: Api = APIS[request.param]
    return api


@pytest.fixture
async def http(sandbox: Sandbox) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=sandbox.url)


async def test_a_good_request_is_not_refused(api: Api, http: httpx2.AsyncClient) -> None:
    assert (await http.post(api.path, headers=api.key, json=api.body)).status_code == 200


@pytest.mark.parametrize("names", [(), ("authorization", "x-api-key", "x-goog-api-key")])
async def test_a_request_without_a_key_is_refused(api: Api, http: httpx2.AsyncClient, names: tuple[str, ...]) -> None:
    refused = await http.post(api.path, headers=dict.fromkeys(names, ""), json=api.body)

    assert refused.status_code == api.unauthorized
    assert refused.json()["error"]["message"] == "No API key was given."


async def test_every_field_that_the_provider_requires_is_required(api: Api, http: httpx2.AsyncClient) -> None:
    for name in api.body:
        partial = {other: value for other, value in api.body.items() if other != name}

        refused = await http.post(api.path, headers=api.key, json=partial)

        assert refused.status_code == 400
        assert refused.json()["error"][api.kind] == api.invalid
        assert refused.json()["error"]["message"].startswith(f"{name}: ")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "NaN",
        '{"model": "\\ud800"}',
        '{"model": "a\udcff"}',
        '{"model": ' + '{"a":' * 5000 + "1" + "}" * 5001,
    ],
)
async def test_a_body_that_is_no_request_is_refused(api: Api, http: httpx2.AsyncClient, body: str) -> None:
    content = body.encode("utf-8", "surrogateescape")

    refused = await http.post(api.path, headers=api.key, content=content)

    assert refused.status_code == 400
    assert refused.json()["error"][api.kind] == api.invalid


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/nothing"), ("GET", "/"), ("POST", "/v1/models/m:sing")])
async def test_an_unknown_path_is_not_found(http: httpx2.AsyncClient, method: str, path: str) -> None:
    missing = await http.request(method, path)

    assert missing.status_code == 404
    assert missing.json()["error"]["type"] == "invalid_request_error"


async def test_another_method_is_not_allowed(api: Api, http: httpx2.AsyncClient) -> None:
    refused = await http.get(api.path, headers=api.key)

    assert refused.status_code == 405
    assert refused.json()["error"]["message"]


async def test_a_body_too_large_is_refused_before_it_is_read(api: Api, sandbox: Sandbox) -> None:
    address = urlsplit(sandbox.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    headers = "".join(f"{name}: {value}\r\n" for name, value in api.key.items())

    writer.write(f"POST {api.path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: 999999999\r\n\r\n".encode())

    assert b" 413 " in await reader.readline()
    writer.close()
