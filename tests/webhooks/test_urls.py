"""Where a webhook may go: the form of its URL, and who may ask for one."""

from collections.abc import AsyncIterator

import orjson
import pytest

from jobs import keys
from jobs.connection import Client
from jobs.endpoints import Endpoints
from jobs.errors import UrlNotAllowed
from jobs.model import JobId
from jobs.signing import read_secrets
from tests.api import Api
from tests.service.edge import KEYRING
from tests.service.serving import Serving, serving
from tests.system import SECRET
from tests.valkey import ValkeyProcess
from tests.webhooks.receiver import SECRET as SIGNS
from tests.webhooks.receiver import SECRETS
from tests.webhooks.urls import REFUSED, TAKEN

CHAT = {"kind": "chat", "input": {"message": "x"}}
GOOD = "https://hooks.example.com/in"


@pytest.fixture
async def service(store: ValkeyProcess, redis: Client) -> AsyncIterator[Serving]:
    """An API that signs webhooks, without a worker."""
    async with serving(store.url, endpoints=Endpoints(SECRETS)) as running:
        yield running


def test_a_url_that_is_not_public_https_is_refused() -> None:
    """Whatever is wrong with it, the sentence is the same."""
    sentences, taken = set(), []
    for name, url in REFUSED.items():
        try:
            taken.append((name, Endpoints(SECRETS).read(url)))
        except UrlNotAllowed as error:
            sentences.add(error.detail)

    assert taken == []
    assert len(sentences) == 1
    assert len(REFUSED) >= 60


@pytest.mark.parametrize("url", TAKEN.values(), ids=TAKEN)
def test_a_public_https_url_is_taken_as_it_is(url: str) -> None:
    assert Endpoints(SECRETS).read(url).url == url


def test_a_host_for_development_is_taken_with_its_port_alone() -> None:
    """By http, too; with another port or by another name it is refused as ever."""
    endpoints = Endpoints(SECRETS, ["127.0.0.1:9000", "[::1]:9000", "receiver:80"])
    for url in ("http://127.0.0.1:9000/in", "https://127.0.0.1:9000", "http://[::1]:9000/", "http://receiver/in"):
        assert endpoints.read(url).trusted
    for url in ("http://127.0.0.1/", "http://127.0.0.1:9001/", "http://localhost:9000/", "https://receiver/in"):
        with pytest.raises(UrlNotAllowed):
            endpoints.read(url)


async def test_every_refused_url_gets_the_same_answer(caller: Api) -> None:
    """422, to the byte the same but for the request's id, and no job."""
    told = set()
    for url in REFUSED.values():
        answer = await caller.http.post("/v1/jobs", json=CHAT | {"webhook": {"url": url}})
        problem = answer.json()
        told.add((answer.status_code, orjson.dumps(problem | {"instance": ""})))

    (status, problem), *others = told
    assert (status, orjson.loads(problem)["type"], others) == (422, "/problems/url-not-allowed", [])
    assert (await caller.http.get("/v1/jobs")).json()["items"] == []


async def test_a_form_brings_its_webhook_as_json(caller: Api, redis: Client) -> None:
    form = {"kind": "chat", "message": "x", "webhook": orjson.dumps({"url": GOOD}).decode()}
    parts = {name: (None, value) for name, value in form.items()}
    answer = await caller.http.post("/v1/jobs", files=parts, headers={"X-Requested-With": "test"})

    assert answer.status_code == 202, answer.text
    assert await redis.hexists(keys.job(JobId(answer.json()["id"])), "webhook")  # type: ignore[misc]


async def test_a_page_may_not_ask_for_a_webhook(service: Serving) -> None:
    """Or it could have the service call whom it likes."""
    token = KEYRING.browser_token("one", frozenset({"submit:chat"}), seconds=60).token
    async with Api(service.url, token) as page:
        asked = await page.http.post("/v1/jobs", json=CHAT | {"webhook": {"url": GOOD}})
        plain = await page.http.post("/v1/jobs", json=CHAT)

    assert (asked.status_code, plain.status_code) == (403, 202)


@pytest.mark.parametrize("secrets", ["", f"hooks.example.org={SIGNS}"])
async def test_a_webhook_that_nothing_signs_is_refused_and_says_what_to_set(
    secrets: str, store: ValkeyProcess, redis: Client
) -> None:
    endpoints = Endpoints(read_secrets(secrets))
    async with serving(store.url, endpoints=endpoints) as unsigned, Api(unsigned.url, SECRET) as caller:
        answer = await caller.http.post("/v1/jobs", json=CHAT | {"webhook": {"url": GOOD}})

    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/server-misconfigured")
    assert "JOBSTREAM_WEBHOOK_SECRET" in answer.json()["detail"]
