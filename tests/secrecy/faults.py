"""Every way to make the product speak of what it should keep to itself: each a fault that quotes secrets, prompts, or
both."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from httpx2 import AsyncClient, Response
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from jobs import keys
from jobs.model import JobId, JsonObject
from tests.jobs.patience import until
from tests.providers.raw import RawServer, reply
from tests.secrecy.canaries import SAID, SECRETS
from tests.service.raw import exchange, spelled
from tests.system import READY_SECONDS, System

EX_CONFIG = 78
JSON = {"Content-Type": "application/json"}
ALL = {**SECRETS, **SAID}
KEYS = ", ".join(SECRETS.values())
MODELS: Mapping[str, str] = {"openai": "gpt-6-luna", "anthropic": "claude-haiku-5-5", "google": "gemini-3.8-flash"}


@dataclass
class Scene:
    """The product under fault, what stands for the providers, and what the API has answered."""

    product: System
    http: AsyncClient
    providers: RawServer
    redis: Redis
    stream_token: str = ""
    browser_token: str = ""
    refusals: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, *, expect: int, **how: Any) -> Response:
        """The answer, which is kept."""
        answer = await self.http.request(method, path, **how)
        assert answer.status_code == expect, (method, path, answer.text)
        told = f"{answer.headers!r}\n{answer.text}"
        (self.refusals if expect >= 400 else self.answers).append(told)
        return answer

    async def bytes(self, message: bytes) -> None:
        """Say this to the API, and keep what it answers."""
        answer = await exchange(self.product.url, message)
        self.refusals.append(f"{answer.headers!r}\n{answer.body!r}")

    async def chat(self, **more: Any) -> str:
        """The id of a chat that speaks of everything."""
        given = {"message": SAID["prompt"], "system": KEYS, **more.pop("input", {})}
        body = {"kind": "chat", "input": given, "metadata": {"who": SAID["metadata"]}, **more}
        job_id: str = (await self.ask("POST", "/v1/jobs", expect=202, json=body)).json()["id"]
        return job_id

    async def end_of(self, job_id: str) -> str:
        """The type of the error with which the job ended."""

        async def ended() -> bool:
            return (await self._job(job_id))["state"] in ("failed", "completed", "cancelled")

        await until(ended)
        return str(((await self._job(job_id))["error"] or {}).get("type"))

    async def _job(self, job_id: str) -> JsonObject:
        seen: JsonObject = (await self.http.get(f"/v1/jobs/{job_id}")).json()
        return seen

    async def attempted(self, job_id: str) -> None:
        """Return once the job has been tried."""

        async def tried() -> bool:
            lines = self.product.worker.output.read_text().splitlines()
            return any(job_id in line and "job attempt ended" in line for line in lines)

        await until(tried)


Fault = Callable[[Scene], Awaitable[None]]

FAULTS: dict[str, Fault] = {}


def fault(act: Fault) -> Fault:
    """One of them."""
    FAULTS[act.__name__] = act
    return act


# Requests that are refused


@fault
async def a_body_that_is_no_json(scene: Scene) -> None:
    body = f'{{"kind": "chat", "key": "{KEYS}", "input": {SAID["prompt"]}'
    await scene.ask("POST", "/v1/jobs", expect=400, content=body.encode(), headers=JSON)


@fault
async def a_body_that_is_no_object(scene: Scene) -> None:
    await scene.ask("POST", "/v1/jobs", expect=400, json=[*ALL.values()])


@fault
async def a_kind_that_is_none(scene: Scene) -> None:
    await scene.ask("POST", "/v1/jobs", expect=422, json={"kind": SECRETS["openai"], "input": {}})


@fault
async def an_input_of_the_wrong_types(scene: Scene) -> None:
    given = {"message": [*ALL.values()], "models": KEYS, "max_output_tokens": SAID["prompt"]}
    await scene.ask("POST", "/v1/jobs", expect=422, json={"kind": "chat", "input": given})


@fault
async def metadata_that_is_too_long(scene: Scene) -> None:
    body = {"kind": "chat", "input": {"message": "x"}, "metadata": {"who": SAID["metadata"] * 2000}}
    await scene.ask("POST", "/v1/jobs", expect=422, json=body)


@fault
async def a_body_that_is_too_large(scene: Scene) -> None:
    body = json.dumps({"kind": "chat", "input": {"message": SAID["prompt"] * 200_000}}).encode()
    await scene.ask("POST", "/v1/jobs", expect=413, content=body, headers=JSON)


@fault
async def a_type_that_is_not_taken(scene: Scene) -> None:
    headers = {"Content-Type": f"text/{SAID['prompt']}"}
    await scene.ask("POST", "/v1/jobs", expect=415, content=KEYS.encode(), headers=headers)


@fault
async def a_form_that_is_none(scene: Scene) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-Requested-With": "test"}
    body = f'--x\r\nContent-Disposition: form-data; name="{KEYS}"\r\n\r\n{SAID["transcript"]}'
    await scene.ask("POST", "/v1/jobs", expect=400, content=body.encode(), headers=headers)


@fault
async def a_header_that_is_too_long(scene: Scene) -> None:
    head = {"Authorization": f"Bearer {SECRETS['service']}", "X-Long": KEYS * 1000}
    await scene.bytes(spelled("GET", "/v1/kinds", {**head}, b""))


@fault
async def bytes_that_are_no_request(scene: Scene) -> None:
    await scene.bytes(
        f"GET /v1/jobs?token={scene.browser_token} {KEYS} HTTP/9\r\nAuthorization: {KEYS}\r\n\r\n".encode()
    )


@fault
async def two_credentials(scene: Scene) -> None:
    twice = f"Authorization: Bearer {SECRETS['service']}\r\nAuthorization: Bearer {SECRETS['operator']}\r\n"
    await scene.bytes(f"GET /v1/kinds HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{twice}\r\n".encode())


@fault
async def a_credential_that_is_none(scene: Scene) -> None:
    for wrong in (SECRETS["signing"], SECRETS["store"], f"{scene.browser_token}x", f"{scene.stream_token[:-4]}aaaa"):
        await scene.ask("GET", "/v1/jobs", expect=401, headers={"Authorization": f"Bearer {wrong}"})


@fault
async def a_cookie_from_elsewhere(scene: Scene) -> None:
    headers = {"Cookie": f"__Host-jobstream={scene.browser_token}", "Sec-Fetch-Site": "cross-site"}
    await scene.ask("GET", "/v1/jobs", expect=401, headers={**headers, "Authorization": ""})


@fault
async def a_token_for_another_job(scene: Scene) -> None:
    job_id = await scene.chat(delay=600)
    for path in (f"/v1/jobs/{job_id}/stream", f"/v1/jobs/{job_id}/stream/{KEYS}"):
        url = f"{path}?token={scene.stream_token}"
        await scene.ask("GET", quote(url, safe="/?=&"), expect=404, headers={"Authorization": ""})


@fault
async def a_socket_with_a_token_in_its_address(scene: Scene) -> None:
    address = f"{scene.product.url.replace('http', 'ws', 1)}/v1/ws?token="
    async with connect(f"{address}{scene.stream_token}") as socket:
        await socket.send(f"{SAID['prompt']} {KEYS}")
        scene.refusals.append(str(await socket.recv()))
    with suppress(InvalidStatus):
        await connect(f"{address}{scene.browser_token}x")


@fault
async def a_cursor_that_is_none(scene: Scene) -> None:
    job_id = await scene.chat(delay=600)
    await scene.ask("GET", f"/v1/jobs/{job_id}/stream?after={SAID['prompt']}", expect=400)


@fault
async def a_method_that_is_not_allowed(scene: Scene) -> None:
    await scene.ask("PATCH", f"/v1/jobs?token={scene.browser_token}", expect=405, content=KEYS.encode())


@fault
async def a_path_that_is_none(scene: Scene) -> None:
    await scene.ask("GET", f"/v1/{SECRETS['google']}?key={SAID['prompt']}", expect=404)


@fault
async def a_key_used_for_another_input(scene: Scene) -> None:
    await scene.chat(delay=600, idempotency_key="a-key")
    body = {"kind": "chat", "input": {"message": SAID["prompt"]}, "idempotency_key": "a-key"}
    await scene.ask("POST", "/v1/jobs", expect=422, json=body)


@fault
async def an_event_that_is_none(scene: Scene) -> None:
    await scene.ask("POST", "/v1/events", expect=422, json={"name": [SAID["event"]], "data": KEYS})


@fault
async def a_file_that_is_no_image(scene: Scene) -> None:
    for image in (f"data:image/png;base64,{SAID['prompt']}", SAID["prompt"] * 4, KEYS):
        given = {"image": image, "prompt": SAID["prompt"]}
        await scene.ask("POST", "/v1/jobs", expect=422, json={"kind": "diagram-to-journey", "input": given})


@fault
async def a_question_of_another_dialect(scene: Scene) -> None:
    body = {"model": [KEYS], "input": {"wrong": SAID["prompt"]}, "stream": SAID["prompt"]}
    await scene.ask("POST", "/openai/v1/responses", expect=400, json=body)


# Providers that fail, and tell everything that they were told


async def _asked(scene: Scene, status: str, body: str, *, provider: str, kind: str = "application/json") -> str:
    headers = f"content-type: {kind}\r\nx-request-id: {KEYS[:90]}\r\nx-echo: {KEYS}\r\n"
    scene.providers.said = reply(body.encode(), status=status, headers=headers)
    return await scene.end_of(await scene.chat(input={"models": {provider: MODELS[provider]}}))


def _echo() -> str:
    told = f"Key {KEYS} may not ask {SAID['prompt']}: {SAID['answer']}"
    return json.dumps({"type": "error", "error": {"message": told, "type": told, "code": told, "status": told}})


@fault
async def a_provider_that_knows_no_such_key(scene: Scene) -> None:
    for provider in MODELS:
        assert await _asked(scene, "401 Unauthorized", _echo(), provider=provider) == "provider-failed"


@fault
async def a_provider_that_was_asked_too_often(scene: Scene) -> None:
    assert await _asked(scene, "429 Too Many Requests", _echo(), provider="openai") == "provider-failed"


@fault
async def a_provider_that_crashes(scene: Scene) -> None:
    assert await _asked(scene, "500 Oops", KEYS + SAID["prompt"], provider="anthropic") == "provider-failed"


@fault
async def a_provider_that_sends_what_nobody_can_read(scene: Scene) -> None:
    body = f"event: x\ndata: {SAID['answer']} {KEYS}\n\n"
    assert await _asked(scene, "200 OK", body, provider="openai", kind="text/event-stream") != "None"


@fault
async def a_provider_that_fails_in_its_answer(scene: Scene) -> None:
    body = f"event: error\ndata: {_echo()}\n\n"
    assert await _asked(scene, "200 OK", body, provider="anthropic", kind="text/event-stream") != "None"


@fault
async def a_provider_that_sends_us_elsewhere(scene: Scene) -> None:
    elsewhere = "302 Found\r\nlocation: http://127.0.0.1:9/?key=" + SECRETS["openai"]
    assert await _asked(scene, elsewhere, _echo(), provider="openai") == "provider-failed"


@fault
async def a_provider_whose_status_is_none(scene: Scene) -> None:
    assert await _asked(scene, KEYS, SAID["answer"], provider="google") != "None"


@fault
async def a_transcript_that_no_provider_reads(scene: Scene) -> None:
    scene.providers.said = reply(_echo().encode(), status="400 Bad", headers="content-type: application/json\r\n")
    given = {"transcript": SAID["transcript"] * 10, "provider": "openai"}
    answer = await scene.ask("POST", "/v1/jobs", expect=202, json={"kind": "transcript-to-journey", "input": given})
    assert await scene.end_of(answer.json()["id"]) != "None"


@fault
async def a_warehouse_that_does_not_answer(scene: Scene) -> None:
    lake = scene.product.folder / "records.ndjson"
    lake.write_text(json.dumps({"id": 1, "said": SAID["prompt"]}) + "\n")
    source = {"connection": "lake", "path": "records.ndjson"}
    given = {"source": source, "destination": {"connection": "warehouse", "table": "t"}, "key": ["id"]}
    answer = await scene.ask("POST", "/v1/jobs", expect=202, json={"kind": "copy-records", "input": given})
    await scene.attempted(answer.json()["id"])


# A store that fails


@fault
async def contents_that_were_changed(scene: Scene) -> None:
    job_id = await scene.chat(delay=600)
    changed = f"enc:v1:{SAID['prompt']}:{SECRETS['encryption']}"
    await scene.redis.set(keys.payload(JobId(job_id)), changed, keepttl=True)
    await scene.redis.zadd(keys.QUEUE, {job_id: 0})
    assert await scene.end_of(job_id) == "corrupt"


@fault
async def a_store_that_is_full(scene: Scene) -> None:
    await scene.redis.config_set("maxmemory", "1mb")
    try:
        body = {"kind": "chat", "input": {"message": SAID["prompt"]}}
        await scene.ask("POST", "/v1/jobs", expect=503, json=body)
    finally:
        await scene.redis.config_set("maxmemory", "0")


@fault
async def a_store_that_is_gone_in_the_middle(scene: Scene) -> None:
    scene.product.store.kill()
    try:
        body = {"kind": "chat", "input": {"message": SAID["prompt"]}}
        await scene.ask("POST", "/v1/jobs", expect=503, json=body)
        await scene.ask("GET", f"/v1/jobs?token={scene.browser_token}", expect=503)
    finally:
        scene.product.store.start()

    async def back() -> bool:
        return (await scene.http.get("/readyz?worker=1")).status_code == 200

    await until(back)


# Processes that end


@fault
async def a_worker_that_is_killed(scene: Scene) -> None:
    scene.providers.said = reply(b"", then="stall", ended=False)
    await scene.chat()
    await until(lambda: _says(scene, "provider asked"))
    scene.product.worker.kill()
    scene.product.worker.start()
    await until(lambda: _says(scene, "worker ready"))


@fault
async def settings_that_cannot_stand(scene: Scene) -> None:
    wrong = {
        "DATA_ENCRYPTION_KEY": SECRETS["operator"],
        "JOBSTREAM_WEBHOOK_SECRET": f"{SECRETS['webhook'][:12]}!",
        "JOBSTREAM_ORIGINS": KEYS,
        "JOBSTREAM_LOG_LEVEL": SECRETS["service"],
        "SENTRY_DSN": SECRETS["sentry"],
        "PORT": SECRETS["signing"],
    }
    assert await _refused(scene, "settings", **wrong) == EX_CONFIG


@fault
async def connections_that_cannot_stand(scene: Scene) -> None:
    url = f"ftp://app:{SECRETS['connection']}@db/x"
    assert await _refused(scene, "connection", JOBSTREAM_CONNECTION_WAREHOUSE=url) == EX_CONFIG


@fault
async def a_store_that_anybody_could_overhear(scene: Scene) -> None:
    url = f"redis://app:{quote(SECRETS['store'], safe='')}@store.example.com:6379"
    assert await _refused(scene, "plain", REDIS_URL=url) == EX_CONFIG


@fault
async def a_store_that_was_sealed_with_another_key(scene: Scene) -> None:
    assert await _refused(scene, "sealed", DATA_ENCRYPTION_KEY="b0" * 32) == EX_CONFIG


@fault
async def a_store_that_refuses_the_password(scene: Scene) -> None:
    url = scene.product.store.url.replace("unix://", f"unix://:{SECRETS['connection']}@")
    assert await _refused(scene, "password", REDIS_URL=url) == EX_CONFIG


@fault
async def processes_that_are_stopped_in_the_middle(scene: Scene) -> None:
    """The last of all: nothing runs after it."""
    scene.providers.said = reply(b"", then="stall", ended=False)
    await scene.chat()
    assert await asyncio.to_thread(scene.product.worker.end, signal.SIGTERM) == 0
    assert await asyncio.to_thread(scene.product.api.end, signal.SIGTERM) == 0


async def _refused(scene: Scene, name: str, **wrong: str) -> int:
    """The exit code of an API that is told this, once it has ended by itself; its output is kept with the others."""
    process = scene.product.process(f"refused-{name}", "-m", "service")
    process._environment = {**process._environment, "PORT": "0", **wrong}
    process.start()
    assert process._process
    return await asyncio.to_thread(process._process.wait, READY_SECONDS)


async def _says(scene: Scene, words: str) -> bool:
    return words in scene.product.worker.output.read_text()
