"""The product as its users run it: an end is told whoever dies in between."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError

from jobs import keys
from jobs.connection import connect
from jobs.deliveries import Story
from jobs.encryption import sealer_of
from jobs.model import JobId, JsonObject
from jobs.settings import StoreSettings
from jobs.webhooks import Webhooks
from tests.api import Api
from tests.encryption.keys import FIRST
from tests.encryption.test_processes import written
from tests.encryption.test_start import COMMANDS, EX_CONFIG, environment, run
from tests.jobs.patience import until
from tests.system import ROOT, SECRET, Process, System, free_port, running_system, wait_until
from tests.valkey import ValkeyProcess
from tests.webhooks.receiver import OTHER_SECRET, Receiver, never, receiving
from tests.webhooks.receiver import SECRET as SIGNS

CANARY = "canary-in-a-query"
OPERATOR = {"Authorization": "Bearer an-operator"}
RECEIVER = ROOT / "docs" / "webhooks" / "receiver.py"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def product(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Store, API and worker, which may tell one place on loopback, with encryption on."""
    settings = {
        "JOBSTREAM_WEBHOOK_SECRET": SIGNS,
        "JOBSTREAM_WEBHOOK_HOSTS": f"127.0.0.1:{port}",
        "DATA_ENCRYPTION_KEY": FIRST,
        "JOBSTREAM_OPERATOR": "1",
        "JOBSTREAM_OPERATOR_SECRET": "an-operator",
    }
    with running_system(tmp_path_factory.mktemp("told"), pace=0, settings=settings) as system:
        yield system


@pytest.fixture
async def receiver(port: int) -> AsyncIterator[Receiver]:
    async with receiving(port=port) as running:
        yield running


@pytest.fixture
async def caller(product: System) -> AsyncIterator[Api]:
    async with Api(product.url, SECRET) as api:
        yield api


async def story(product: System, job_id: str) -> Story:
    """How the delivery of the job goes."""
    async with connect(product.store.url, sealer=sealer_of(FIRST)) as client:
        return (await Webhooks(client).of_job(JobId(job_id)))[0]


async def settled(product: System, job_id: str) -> Story:
    """The same, once somebody was told."""

    async def so() -> bool:
        return (await story(product, job_id)).state == "delivered"

    await until(so)
    return await story(product, job_id)


async def fall_due(product: System) -> None:
    """The time has come that every delivery waits for."""
    async with connect(product.store.url) as client:
        for host in await client.zrange(keys.HOSTS, 0, -1):
            for delivery in await client.zrange(keys.DUE + host.decode(), 0, -1):
                await client.zadd(keys.DUE + host.decode(), {delivery: 1})
            await client.zadd(keys.HOSTS, {host: 1})


async def test_a_worker_that_dies_in_the_middle_of_telling_is_followed_by_another(
    product: System, caller: Api, receiver: Receiver
) -> None:
    """Which tells it once more, with the same id: that is how receivers know."""
    receiver.answers = [never]
    job = await caller.submit("Hello.", webhook={"url": receiver.url})
    await receiver.until(1)
    product.worker.kill()
    await fall_due(product)
    product.worker.start()

    first, second = await receiver.until(2)

    assert (await settled(product, job["id"])).attempt == 1
    assert (first.id, first.body) == (second.id, second.body)
    assert second.told()["data"]["id"] == job["id"]


async def test_an_end_is_told_that_came_while_nobody_could_tell_it(
    product: System, caller: Api, receiver: Receiver
) -> None:
    """The worker was killed, the API ended the job, and the store was killed and started again."""
    product.worker.kill()
    job = await caller.submit("Hello.", webhook={"url": receiver.url})
    await caller.http.post(f"/v1/jobs/{job['id']}/cancel")
    product.store.restart()
    product.worker.start()

    (came,) = await receiver.until(1)

    assert came.told()["type"] == "job.cancelled"
    assert (await settled(product, job["id"])).status == 204


async def test_the_operator_sees_deliveries_and_makes_one_again(
    product: System, caller: Api, receiver: Receiver
) -> None:
    """Of a URL no more than host and path; each act is noted. In files of the product there is nothing of it."""
    job = await caller.submit("Hello.", webhook={"url": f"{receiver.url}?token={CANARY}"})
    await receiver.until(1)
    await settled(product, job["id"])

    listed = await asked(caller, "GET", "deliveries?limit=1")
    of_the_job = await asked(caller, "GET", f"deliveries?job={job['id']}")
    whole = await asked(caller, "GET", f"jobs/{job['id']}")
    again = await asked(caller, "POST", f"deliveries/{job['id']}-1/retry")
    never_was = await caller.http.post("/v1/operator/deliveries/never-1/retry", headers=OPERATOR)
    both = await receiver.until(2)

    (shown,) = of_the_job["items"]
    assert (shown["id"], shown["url"], shown["state"]) == (f"{job['id']}-1", receiver.url, "delivered")
    assert listed["items"] == whole["deliveries"] == [shown]
    assert again["state"] == "pending"
    assert never_was.status_code == 404
    assert {came.id for came in both} == {shown["id"]}
    audit = await asked(caller, "GET", "audit?limit=2")
    assert [act["act"] for act in audit["items"]] == ["retry delivery"] * 2
    files = written(product)
    assert [name for name, content in files.items() if shown["id"].encode() in content and "appendonly" in name]
    for trace in (CANARY.encode(), receiver.url.encode(), SIGNS.encode(), SIGNS.removeprefix("whsec_").encode()):
        assert [name for name, content in files.items() if trace in content] == []


async def asked(caller: Api, method: str, path: str) -> JsonObject:
    answer = await caller.http.request(method, f"/v1/operator/{path}", headers=OPERATOR)
    assert answer.is_success, answer.text
    told: JsonObject = answer.json()
    return told


async def test_the_receiver_of_the_recipes_is_told(product: System, caller: Api, port: int, tmp_path: Path) -> None:
    """It believes the service, and nobody else."""
    told = {"PATH": os.environ["PATH"], "PORT": str(port), "JOBSTREAM_WEBHOOK_SECRET": SIGNS}
    process = Process("receiver", tmp_path, [sys.executable, str(RECEIVER)], told)
    process.start()
    try:
        await until(lambda: _listens(port))
        forged = httpx2.post(f"http://127.0.0.1:{port}/", content=b"{}", headers={"webhook-id": "x"})
        job = await caller.submit("Hello.", webhook={"url": f"http://127.0.0.1:{port}/hook"})
        await asyncio.to_thread(wait_until, lambda: job["id"] in process.output.read_text(), 60.0)
    finally:
        process.end()

    assert forged.status_code == 400
    assert f"job.completed /v1/jobs/{job['id']}\n" in process.output.read_text()
    code = re.sub(r'^(""".*?"""|\s*|import .*|from .*)\n', "", RECEIVER.read_text(), flags=re.MULTILINE)
    assert len(code.splitlines()) <= 18


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.parametrize("which", COMMANDS)
def test_a_bad_secret_is_a_sentence_and_exit_code_78(which: str, tmp_path: Path, store: ValkeyProcess) -> None:
    """Which names the variable and nothing of what it holds."""
    bad = f"{SIGNS},{OTHER_SECRET[:-4]}!!!!"

    ended = run(which, tmp_path, environment(tmp_path, store, JOBSTREAM_WEBHOOK_SECRET=bad))

    assert ended.returncode == EX_CONFIG
    assert "jobstream_webhook_secret" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not {bad, SIGNS, OTHER_SECRET[:-4]} & set(re.split(r"[\s,']", ended.stdout + ended.stderr))


@pytest.mark.parametrize("place", ["https://hooks.example.com", "hooks.example.com", "10.0.0.0/8", "*:9000"])
def test_a_place_for_webhooks_is_a_host_and_its_port(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBSTREAM_WEBHOOK_HOSTS", f"127.0.0.1:9000, {place}")
    with pytest.raises(ValidationError, match="jobstream_webhook_hosts"):
        StoreSettings(_env_file=None)
