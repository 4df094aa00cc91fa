"""A worker that is killed in the middle of a long transcript: what it had read stays read."""

from collections.abc import Iterator

import httpx2
import pytest

from jobs.kinds.transcript_to_journey import AT_ONCE
from jobs.model import JsonObject
from tests.api import Api
from tests.jobs.patience import until
from tests.journeys.sending import send, taken
from tests.journeys.talk import talk
from tests.system import SECRET, System, running_system

PACE = 0.06
READ = 1


@pytest.fixture
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A product of this test's own, whose leases end soon."""
    with running_system(tmp_path_factory.mktemp("killed"), pace=PACE, settings={"JOBSTREAM_LEASE": "2"}) as product:
        yield product


async def test_what_was_read_before_a_worker_died_is_not_asked_again(product: System) -> None:
    """The sandbox counts: only the questions that were open are asked once more."""
    successor = product.new_worker("successor")
    try:
        async with Api(product.url, SECRET) as api:
            job = await taken(await send(api, "transcript-to-journey", transcript=talk(50_000), model="m-slow"))

            async def some_read() -> bool:
                return len(completed(await api.poll(job["id"]))) >= READ

            await until(some_read)
            product.worker.kill()
            read = completed(await api.poll(job["id"]))
            successor.start()
            last = await api.ended(job["id"])
    finally:
        successor.kill()

    counts = [each["count"] for each in httpx2.get(f"{product.sandbox_url}/sandbox/requests").json()["requests"]]
    steps = completed(last)
    assert last["state"] == "completed"
    assert read.items() <= steps.items()
    assert len(counts) == len(steps)
    assert max(counts) == 2
    assert counts.count(1) >= len(read)
    assert counts.count(2) <= AT_ONCE


def completed(snapshot: JsonObject) -> dict[str, tuple[str, str]]:
    """When each completed step began and ended."""
    return {
        step["name"]: (step["started_at"], step["finished_at"])
        for step in snapshot["steps"]
        if step["state"] == "completed"
    }
