"""What a submission comes to."""

import json

import pytest

from jobstream.api import open_api, submit
from jobstream.errors import RequestRefused, Unreachable
from jobstream.job import Job
from tests.api import Api
from tests.jobstream.wires import refused, saying
from tests.system import SECRET, System


async def submitted(url: str, credential: str = SECRET) -> Job:
    async with open_api(url, credential) as http:
        return await submit(http, "chat", {"message": "Hello"})


async def test_a_submission_comes_to_the_job_that_the_service_now_has(system: System, api: Api) -> None:
    job = await submitted(system.url)

    assert (await api.poll(job.id))["created_at"] == job.created_at


async def test_a_refusal_is_told_in_the_service_s_own_words(system: System) -> None:
    with pytest.raises(RequestRefused, match=r"^[A-Z].*: .*\.$"):
        await submitted(system.url, "a wrong secret")


@pytest.mark.parametrize(
    "body", ["<html>Bad gateway</html>", json.dumps(["no", "problem"]), json.dumps({"title": 1})]
)
async def test_a_stranger_s_refusal_is_told_by_its_status(body: str) -> None:
    async with saying(refused("502 Bad Gateway", body)) as wire:
        with pytest.raises(RequestRefused, match=r"^The service answers 502\.$"):
            await submitted(wire.url)


async def test_a_service_that_is_not_there_is_told_as_such() -> None:
    async with saying("") as wire:
        pass  # now nobody listens there

    with pytest.raises(Unreachable, match="The service does not answer"):
        await submitted(wire.url)
