"""What is too large, and what nobody answers, is refused in the form of the API, whoever refuses it."""

import json
from pathlib import Path

import httpx2
import pytest

from tests.api import Api
from tests.deploy.curl import curled
from tests.deploy.front import FRONTS, Front, running_front
from tests.system import SECRET, free_port

MEBIBYTE = 1024 * 1024


async def test_what_is_too_large_for_its_kind_is_refused_by_the_api(front: Front) -> None:
    """A chat has room for 1 MiB."""
    async with Api(front.url, SECRET, trusts=front.trusts) as api:
        refused = await _submit(api, "chat", {"message": "a" * MEBIBYTE})

    assert _problem(refused) == (413, "/problems/payload-too-large")


@pytest.mark.parametrize("framing", ["Content-Length: 16777216", "Transfer-Encoding: chunked"])
async def test_what_is_too_large_for_any_kind_is_refused_in_the_same_form(
    framing: str, front: Front, tmp_path: Path
) -> None:
    """By whoever notices first: before all of it was sent, if it was announced."""
    body = tmp_path / "body"
    body.write_bytes(b"a" * 16 * MEBIBYTE)
    sending = ["--http1.1", "--data-binary", f"@{body}", "-H", "Content-Type: application/json", "-H", framing]

    async with curled(front, "/v1/jobs", *sending) as shown:
        head, _, problem = (await shown.read()).rpartition(b"\r\n\r\n")

    assert b"HTTP/1.1 413" in head
    assert b"content-type: application/problem+json" in head.lower()
    assert json.loads(problem)["type"] == "/problems/payload-too-large"


async def test_the_largest_body_that_a_kind_takes_passes(front: Front) -> None:
    """The API looks into it, and finds that it is no picture."""
    async with Api(front.url, SECRET, trusts=front.trusts) as api:
        refused = await _submit(api, "diagram-to-journey", {"image": "a" * (14 * MEBIBYTE - 100)})

    assert _problem(refused) == (413, "/problems/payload-too-large")
    assert "image" in refused.json()["detail"]


@pytest.mark.parametrize("kind", FRONTS.values(), ids=FRONTS)
async def test_where_no_api_answers_clients_are_told_to_come_again(kind: type[Front], tmp_path: Path) -> None:
    """503 and a time, which every client of ours takes for a pause."""
    with running_front(kind, tmp_path / "front", (free_port(), free_port())) as front:
        async with Api(front.url, SECRET, trusts=front.trusts) as api:
            refused = await api.http.get("/v1/kinds")

    assert _problem(refused)[0] == 503
    assert int(refused.headers["retry-after"]) > 0


async def test_figures_of_one_process_are_nothing_for_the_world(front: Front) -> None:
    """They are scraped from each process."""
    async with Api(front.url, SECRET, trusts=front.trusts) as api:
        assert (await api.http.get("/metrics")).status_code == 404


async def _submit(api: Api, kind: str, given: dict[str, str]) -> httpx2.Response:
    return await api.http.post("/v1/jobs", json={"kind": kind, "input": given})


def _problem(response: httpx2.Response) -> tuple[int, str]:
    """Its status and type; what is not in the form is an error."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["status"] == response.status_code
    return response.status_code, problem["type"]
