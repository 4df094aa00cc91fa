"""What Prometheus is told, and by whom it may be asked."""

from contextlib import aclosing

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jobs.kinds import KINDS
from jobs.model import Failure
from jobs.roll import Roll
from tests.api import Api
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.service.edge import OPERATOR_SECRET, edge
from tests.service.serving import Serving
from tests.system import SECRET
from tests.valkey import ValkeyProcess

CHAT = KINDS["chat"]
FAILURE = Failure(type="timeout", title="t", detail="d", retryable=False)

Samples = dict[tuple[str, ...], float]


async def told(service: Serving) -> Samples:
    """Each sample by its name and the values of its labels."""
    async with Api(service.url, OPERATOR_SECRET) as operator:
        answer = await operator.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_every_job_is_counted_by_what_it_does(store: ValkeyProcess, doors: Doors) -> None:
    """One waits, one is due later, one runs, two have failed, and one was cancelled."""
    for _ in range(2):
        claim = await doors.running(CHAT, token=f"worker-{_}")
        await doors.append(claim, lines.end("failed", failure=FAILURE))
    await doors.queue.cancel(await doors.submit(CHAT))
    await doors.running(CHAT, token="worker-3")
    await doors.submit(CHAT)
    await doors.submit(CHAT, delay=60)
    await Roll(doors.client).sign("worker-3", {"slots": 5, "running": 1})

    async with edge(store.url) as service:
        samples = await told(service)

    of_jobs = {state: samples["jobstream_jobs", state] for state in ("waiting", "scheduled", "parked", "running")}
    assert of_jobs == {"waiting": 1, "scheduled": 1, "parked": 0, "running": 1}
    assert samples["jobstream_jobs_ended_total", "chat", "failed"] == 2
    assert samples["jobstream_jobs_ended_total", "chat", "cancelled"] == 1
    assert samples["jobstream_dead_letters",] == 2
    assert (samples["jobstream_workers",], samples["jobstream_worker_slots",]) == (1, 5)
    assert samples["jobstream_store_memory_bytes",] > 0


async def test_who_listens_is_counted_and_who_left_is_not(store: ValkeyProcess, doors: Doors) -> None:
    """Two listeners of one job, and none once they are gone."""
    async with edge(store.url) as service, Api(service.url, SECRET) as caller:
        job_id = await doors.submit(CHAT)
        async with aclosing(caller.listen(job_id)) as one, aclosing(caller.listen(job_id)) as other:
            await anext(one)
            await anext(other)
            samples = await told(service)
        assert (samples["jobstream_followed_jobs",], samples["jobstream_listeners",]) == (1, 2)
        while (await told(service))["jobstream_listeners",]:
            pass


@pytest.mark.parametrize("credential", [None, "wrong", SECRET])
async def test_only_the_operator_is_told(credential: str | None, store: ValkeyProcess, doors: Doors) -> None:
    """The service secret is not enough."""
    async with edge(store.url) as service, Api(service.url, credential) as caller:
        answer = await caller.http.get("/metrics")

    assert answer.status_code == (403 if credential == SECRET else 401)
