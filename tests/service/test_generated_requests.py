"""Requests generated from the OpenAPI document, right ones and wrong ones: none of them finds a fault of ours."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import httpx2
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok

from tests.conftest import TEST_ALL
from tests.service.edge import edge_process
from tests.system import SECRET
from tests.valkey import ValkeyProcess

CASES = 1000 if TEST_ALL else 250
"""Of each mode."""

CASES_OF_A_ROUND = 20
CREDENTIAL = {"Authorization": f"Bearer {SECRET}"}
PATIENCE_SECONDS = 20.0

Operation = APIOperation[Any, Any, Any, Any]


@pytest.fixture
def url(store: ValkeyProcess) -> Iterator[str]:
    """Where an API listens, in a process of its own."""
    with edge_process(store.url) as (_, url):
        yield url


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
def test_no_generated_request_is_answered_with_a_fault(url: str, mode: GenerationMode) -> None:
    """About half of those that name a job name one that has ended, so that they get past 404."""
    document = httpx2.get(f"{url}/openapi.json", trust_env=False).json()
    del document["paths"]["/readyz"]  # its 503 says that no worker runs, which is so
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    statuses: Counter[int] = Counter()

    for number in count():
        if statuses.total() >= CASES:
            break
        for operation in operations:
            with suppress(Unsatisfiable):  # what takes nothing can be sent nothing wrong
                statuses += ask(url, operation, mode, number)

    assert {status for status in statuses if status >= 500} == set()
    assert len(statuses) >= 4


def ask(url: str, operation: Operation, mode: GenerationMode, number: int) -> Counter[int]:
    """How often each status came, in a round that is always alike."""
    statuses: Counter[int] = Counter()
    job = ended_job(url)

    @seed(number)
    @settings(
        max_examples=CASES_OF_A_ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(mode))
    def send(case: Case[Operation]) -> None:
        if "job_id" in (case.path_parameters or {}) and statuses.total() % 2:
            case.path_parameters["job_id"] = job
        response = case.call(base_url=url, session=session, headers=CREDENTIAL, timeout=PATIENCE_SECONDS)
        statuses[response.status_code] += 1

    with requests.Session() as session:
        session.trust_env = False
        send()
    return statuses


def ended_job(url: str) -> str:
    body = {"kind": "chat", "input": {"message": "x"}}
    with httpx2.Client(base_url=url, headers=CREDENTIAL, trust_env=False) as server:
        job: str = server.post("/v1/jobs", json=body).json()["id"]
        server.post(f"/v1/jobs/{job}/cancel")
    return job
