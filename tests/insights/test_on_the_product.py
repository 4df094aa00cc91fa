"""Insights on the whole product: with each provider, and with a worker that is killed in each turn in turn."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from jobs import keys
from jobs.connection import connect
from jobs.model import JobId, JsonObject
from tests.api import Api, comparable, follow
from tests.jobs.patience import until
from tests.system import SECRET, Process, System, running_system

PROVIDERS = {"openai": "gpt-sandbox", "anthropic": "claude-sandbox", "google": "gemini-sandbox"}
ROWS = [{"time": f"2026-03-0{day}T{hour:02}:00:00Z", "volts": 12.0 + hour} for day in (1, 2) for hour in range(24)]
PLAN = (
    'sandbox-plan: "I look at what there is." list_metrics {}; '
    '"Then at the volts." describe_metric {"metric": "volts"} find_anomalies {"metric": "volts"}; '
    '"And at each day." query_metric {"metric": "volts", "bucket_seconds": 86400}; done'
)
TURNS = 4
LEASE_SECONDS = 2


def analysis(provider: str, *, model: str | None = None) -> JsonObject:
    """A submission whose model follows the plan."""
    given: JsonObject = {"system_id": "battery-1", "analysis_data": {"rows": ROWS}, "custom_prompt": PLAN}
    return {
        "kind": "generate-insights",
        "input": {**given, "provider": provider, "model": model or PROVIDERS[provider]},
    }


async def submitted(api: Api, body: JsonObject) -> str:
    """The id of the job that the service took."""
    response = await api.http.post("/v1/jobs", json=body)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_each_provider_looks_with_tools_and_reports_in_form(api: Api, provider: str) -> None:
    """Its six steps and each turn and look of it are there, and every finding cites what a tool returned."""
    job_id = await submitted(api, analysis(provider))
    follower = await follow(api, job_id)

    ended = await api.poll(job_id)

    assert comparable(follower.snapshot) == comparable(ended)
    assert (ended["state"], ended["result"]["iterations"], ended["result"]["metrics"]) == (
        "completed",
        TURNS,
        ["volts"],
    )
    assert [step["name"] for step in ended["steps"]] == [
        *("initialise", "fetch", "validate"),
        *("answer.analysis:1", "answer.analysis:tool.1.1"),
        *("answer.analysis:2", "answer.analysis:tool.2.1", "answer.analysis:tool.2.2"),
        *("answer.analysis:3", "answer.analysis:tool.3.1", "answer.analysis:4"),
        *("answer.findings", "store", "send.insights-completed"),
    ]
    cited = {each["call"] for finding in ended["result"]["findings"] for each in finding["evidence"]}
    assert cited
    assert cited <= {"tool.1.1", "tool.2.1", "tool.2.2", "tool.3.1"}
    assert ended["parts"]["looks"]["result"]["charts"]["volts"]["means"]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", ["429", "cut", "malformed"])
async def test_a_fault_in_a_turn_costs_that_turn_alone(api: Api, provider: str, fault: str) -> None:
    """The provider is asked again within the attempt, and the analysis ends as if nothing had been."""
    job_id = await submitted(api, analysis(provider, model=f"{PROVIDERS[provider]}-{fault}x1"))

    ended = await api.ended(job_id)

    assert (ended["state"], ended["attempt"], ended["result"]["iterations"]) == ("completed", 1, TURNS)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A product whose model takes its time, and whose workers a test may kill."""
    settings = {"JOBSTREAM_LEASE": str(LEASE_SECONDS)}
    with running_system(tmp_path_factory.mktemp("insights"), pace=0.3, settings=settings) as product:
        yield product


async def test_a_worker_killed_in_each_turn_in_turn_pays_for_none_twice(product: System) -> None:
    """What was kept is never asked again: each kill costs the one answer that was being written."""
    workers = [product.worker]
    try:
        async with Api(product.url, SECRET) as api, connect(product.store.url) as client:
            before = await asked(api, product)
            job_id = JobId(await submitted(api, analysis("anthropic", model="claude-sandbox-slow")))
            for turn in range(1, TURNS + 1):
                await in_the_middle_of(api, job_id, turn)
                holder = await client.get(keys.lease(job_id))
                assert holder is not None
                pid = int(holder.decode().rsplit("-", 3)[1])
                workers.append(started(product, f"after-{turn}"))
                next(worker for worker in workers if worker.pid == pid).end(signal.SIGKILL)
                await until(lambda: held_by_another(client, job_id, holder))  # noqa: B023  # awaited here
            ended = await api.ended(job_id)
            paid = await asked(api, product) - before
    finally:
        for worker in workers:
            worker.kill()

    assert (ended["state"], ended["result"]["iterations"]) == ("completed", TURNS)
    assert [step["state"] for step in ended["steps"]] == ["completed"] * len(ended["steps"])
    assert paid == TURNS + 1 + TURNS  # the turns, the findings, and what each kill cut off


async def in_the_middle_of(api: Api, job_id: JobId, turn: int) -> None:
    """Return while the model writes this turn: its part has begun so often, and has some words."""

    async def is_writing() -> bool:
        snapshot = await api.poll(job_id)
        part: Any = snapshot["parts"].get("analysis")
        steps = {step["name"]: step["state"] for step in snapshot["steps"]}
        now = steps.get(f"answer.analysis:{turn}") == "running" and snapshot["state"] == "running"
        return now and part is not None and part["state"] == "running" and bool(part["text"])

    await until(is_writing)


async def held_by_another(client: Any, job_id: JobId, before: bytes) -> bool:
    """Whether a worker holds the job that is not the one of before."""
    holder = await client.get(keys.lease(job_id))
    return holder not in (None, before)


async def asked(api: Api, product: System) -> int:
    """How many requests the providers have answered or begun to."""
    answer = await api.http.get(f"{product.sandbox_url}/sandbox/requests")
    return sum(each["count"] for each in answer.json()["requests"])


def started(product: System, name: str) -> Process:
    """One more worker."""
    worker = product.new_worker(name)
    worker.start()
    return worker
