"""What is reported to Sentry: each fault that nobody foresaw, before the process is gone; nothing of what it was
about."""

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.api import Api
from tests.secrecy.faulty import WORDS
from tests.secrecy.ingest import KEY, Ingest, running_ingest
from tests.system import READY_SECONDS, SECRET, STOP_SECONDS, Process, System, wait_until
from tests.valkey import ValkeyProcess

EX_CONFIG = 78
QUESTION = "canary-of-the-prompt"


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with running_ingest() as ingest:
        yield ingest


@pytest.fixture
def product(tmp_path: Path, store: ValkeyProcess, ingest: Ingest) -> System:
    """The product's processes, which report to the ingest; none of them runs yet."""
    settings = {"SENTRY_DSN": ingest.dsn, "SENTRY_ENVIRONMENT": "tests", "SENTRY_RELEASE": "jobstream@9"}
    return System(tmp_path, store, pace=0, settings=settings)


async def test_a_fault_in_a_request_is_reported_before_the_process_that_met_it_is_gone(
    product: System, ingest: Ingest
) -> None:
    """With the request's id, without what was said; SIGTERM right after it loses nothing."""
    with running(product, api="api"):
        answer = httpx2.get(
            f"{product.url}/readyz", headers={"X-Request-ID": "a-request", "Cookie": "a=canary-cookie"}
        )
        code = product.api.end(signal.SIGTERM)

    assert (answer.status_code, code) == (500, 0)
    (event,) = ingest.events
    assert event["tags"] == {"process": "api", "request_id": "a-request"}
    assert (event["environment"], event["release"]) == ("tests", "jobstream@9")
    assert [each["type"] for each in event["exception"]["values"]] == ["ValueError"]
    functions = [frame["function"] for frame in event["exception"]["values"][0]["stacktrace"]["frames"]]
    assert functions[-1] == "quote"
    assert_nothing_is_told(ingest)


async def test_a_fault_in_a_job_is_reported_with_the_job_that_it_met(product: System, ingest: Ingest) -> None:
    with running(product, worker="job"):
        async with Api(product.url, SECRET) as api:
            job = await api.submit(QUESTION, metadata={"who": "canary-metadata"})
            assert (await api.ended(job["id"]))["error"]["type"] == "internal-error"
        assert product.worker.end(signal.SIGTERM) == 0

    assert {event["tags"]["job_id"] for event in ingest.events} == {job["id"]}
    assert {event["tags"]["kind"] for event in ingest.events} == {"chat"}
    assert "ValueError" in json.dumps(ingest.events)
    assert_nothing_is_told(ingest)


async def test_a_worker_that_crashes_reports_what_it_died_of(product: System, ingest: Ingest) -> None:
    """And says so in its log, without what the error said."""
    product.worker = product.process("worker", "-m", "tests.secrecy.faulty", "loop")
    product.worker.start()
    code = await asyncio.to_thread(_ended, product.worker)

    assert code == 1
    assert ingest.events[-1]["level"] == "fatal"
    assert "RuntimeError" in json.dumps(ingest.events[-1])
    assert "the process ends by a fault" in product.worker.output.read_text()
    assert WORDS not in product.worker.output.read_text()
    assert_nothing_is_told(ingest)


@pytest.mark.parametrize("which", ["api", "worker"])
async def test_a_sentry_that_is_away_holds_nobody_up(which: str, product: System) -> None:
    """Faults are met and processes stopped as if there were none."""
    product._environment["SENTRY_DSN"] = "http://key@127.0.0.1:9/1"
    with running(product, **{which: "api" if which == "api" else "job"}):
        if which == "api":
            assert httpx2.get(f"{product.url}/readyz").status_code == 500
        else:
            async with Api(product.url, SECRET) as api:
                await api.ended((await api.submit(QUESTION))["id"])
        process: Process = getattr(product, which)
        assert process.end(signal.SIGTERM) == 0


async def test_a_process_that_is_to_report_and_cannot_does_not_start(product: System) -> None:
    product.api = product.process("api", "-m", "tests.secrecy.faulty", "no-sentry")
    product.api.start()

    assert await asyncio.to_thread(_ended, product.api) == EX_CONFIG
    assert "install jobstream[sentry]" in product.api.output.read_text()


def assert_nothing_is_told(ingest: Ingest) -> None:
    """No secret, no prompt, no local variable, nothing of the request, and not the key of the ingest itself."""
    sent = "".join(ingest.envelopes)
    words = (WORDS, QUESTION, SECRET, KEY, "canary", '"vars"', '"request"', '"user"')
    assert [word for word in words if word in sent] == []


@contextmanager
def running(product: System, *, api: str | None = None, worker: str | None = None) -> Iterator[None]:
    """The API and, where it is to have a bug, the worker, until the block ends."""
    if api:
        product.api = product.process("api", "-m", "tests.secrecy.faulty", api)
    if worker:
        product.worker = product.process("worker", "-m", "tests.secrecy.faulty", worker)
    with ExitStack() as stack:
        for process in [product.api, *([product.worker] if worker else [])]:
            stack.callback(process.kill)
            process.start()
        wait_until(lambda: _lives(product), READY_SECONDS, product.api.output.read_text)
        yield


def _lives(product: System) -> bool:
    try:
        return httpx2.get(f"{product.url}/healthz", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


def _ended(process: Process) -> int:
    """Its exit code, once it has ended by itself."""
    assert process._process
    return process._process.wait(STOP_SECONDS * 4)
