"""No secret, no token and no word of what was said gets into what the processes write or report, or into the refusals
that they send, whatever goes wrong."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from redis.asyncio import Redis

from jobs.valkey import server_binary
from tests.jobs.patience import until
from tests.providers.raw import raw_server, reply
from tests.secrecy.canaries import SAID, SECRETS, found_in, settings
from tests.secrecy.faults import FAULTS, Scene
from tests.secrecy.ingest import Ingest, running_ingest
from tests.system import System
from tests.valkey import ValkeyProcess


class Guarded(ValkeyProcess):
    """A store with a password, which its URL has."""

    @property
    def url(self) -> str:
        return super().url.replace("unix://", f"unix://:{quote(SECRETS['store'], safe='')}@")


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with running_ingest() as ingest:
        yield ingest


@pytest.fixture
async def scene(tmp_path: Path, ingest: Ingest) -> AsyncIterator[Scene]:
    """The product with every secret there is, and providers that say again what they are told."""
    with ExitStack() as stack:
        store = Guarded(server_binary(), tmp_path, ("--requirepass", SECRETS["store"]))
        stack.callback(store.kill)
        store.start()
        async with raw_server(reply(b"")) as providers:
            system = System(tmp_path, store, pace=0, settings=settings(providers.url, ingest.dsn, tmp_path))
            for process in (system.api, system.worker):
                stack.callback(process.kill)
                process.start()
            headers = {"Authorization": f"Bearer {SECRETS['service']}"}
            async with (
                httpx2.AsyncClient(base_url=system.url, headers=headers, timeout=60) as http,
                Redis.from_url(store.url) as redis,
            ):
                scene = Scene(system, http, providers, redis)
                await until(lambda: _ready(scene))
                yield scene


async def test_nothing_that_is_secret_is_ever_said(scene: Scene, ingest: Ingest, tmp_path: Path) -> None:
    """Through every fault: in the output of every process, in what is reported, and in each refusal. Answers to those
    who may read a job hold what it is about, and no secret."""
    await _sign_in(scene)

    for act in FAULTS.values():
        await act(scene)

    tokens = {"browser token": scene.browser_token, "stream token": scene.stream_token}
    written = _written(tmp_path)
    assert {"api.log", "worker.log", "valkey.log", "refused-settings.log"} <= written.keys()
    assert "provider failed" in written["worker.log"]
    assert '"path": "/v1/ws"' in written["api.log"]
    said = {**written, "reports": "".join(ingest.envelopes), "refusals": "\n".join(scene.refusals)}
    found = {where: found_in(text, {**SECRETS, **SAID, **tokens}) for where, text in said.items()}
    assert {where: names for where, names in found.items() if names} == {}
    assert found_in("\n".join(scene.answers), {**SECRETS, "browser token": scene.browser_token}) == []
    assert len(FAULTS) >= 30
    assert len(SECRETS) + len(SAID) + len(tokens) >= 12


async def _sign_in(scene: Scene) -> None:
    """A token for a page, and one for a job."""
    given = {"subject": "somebody", "scopes": ["read", "cancel"], "ttl": 900}
    scene.browser_token = (await scene.http.post("/v1/tokens", json=given)).json()["token"]
    body = {"kind": "chat", "input": {"message": SAID["prompt"]}, "delay": 600}
    scene.stream_token = (await scene.http.post("/v1/jobs", json=body)).json()["stream_token"]


def _written(folder: Path) -> dict[str, str]:
    """What the processes have written, by file."""
    return {path.name: path.read_text(errors="replace") for path in folder.glob("*.log")}


async def _ready(scene: Scene) -> bool:
    try:
        return (await scene.http.get("/readyz?worker=1")).status_code == 200
    except httpx2.HTTPError:
        return False
