"""The API as a process of its own: how it stops, what it needs, and what it never writes down."""

import os
import signal
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path

import httpx2

from jobs.connection import Client
from tests.api import Api, Event, comparable
from tests.jobs.doors import Doors
from tests.system import READY_SECONDS, SECRET, System, wait_until
from tests.transports.hand import story, take_in_hand
from tests.transports.reference import held_after, told
from tests.valkey import ValkeyProcess


@contextmanager
def running_api(folder: Path, store: ValkeyProcess, **settings: str) -> Iterator[System]:
    """The API alone, on the store; its process is gone when the block ends."""
    folder.mkdir()
    system = System(folder, store, pace=0, settings=settings)
    try:
        system.api.start()
        wait_until(lambda: _lives(system), READY_SECONDS, system.api.output.read_text)
        yield system
    finally:
        system.api.kill()


def _lives(system: System) -> bool:
    try:
        return httpx2.get(f"{system.url}/healthz", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False


async def test_a_process_that_is_told_to_stop_says_bye_and_another_goes_on(
    tmp_path: Path, store: ValkeyProcess, doors: Doors
) -> None:
    """Its streams end cleanly, with different times to come back; elsewhere the last cursor loses nothing."""
    with running_api(tmp_path / "one", store) as one, running_api(tmp_path / "other", store) as other:
        async with Api(one.url, SECRET) as here, Api(other.url, SECRET) as there:
            job_id = (await here.submit("written by hand"))["id"]
            hand = await take_in_hand(doors, job_id)
            first, *later = story(hand)
            heard: list[Event] = []
            async with aclosing(here.listen(job_id)) as listening:
                heard.append(await anext(listening))
                await hand.write(first)
                heard.append(await anext(listening))
                os.kill(one.api.pid, signal.SIGTERM)
                heard += [event async for event in listening]
            for line in later:
                await hand.write(line)
            rest = [event async for event in there.listen(job_id, after=heard[-2].id)]
            polled = await there.poll(job_id)
        code = one.api.end()

    *updates, bye = heard
    assert (bye.event, bye.id, bye.data) == ("bye", None, {"reason": "shutdown"})
    assert 1000 <= (bye.retry or 0) <= 10000
    held = told(updates[0].data)
    for event in [*updates[1:], *rest]:
        held = held_after(held, event.id or "", event.event, event.data)
    assert held == comparable(polled)
    assert code == 0


async def test_no_credential_is_ever_written_to_the_log(tmp_path: Path, store: ValkeyProcess, redis: Client) -> None:
    """Neither secrets nor tokens, whatever way they come, nor what a job is about."""
    with running_api(tmp_path / "api", store, JOBSTREAM_OPERATOR_SECRET="an-operators-secret") as system:
        async with Api(system.url, SECRET) as caller:
            job = await caller.submit("canary-of-the-prompt")
            token, path = job["stream_token"], f"/v1/jobs/{job['id']}"
            async with Api(system.url, None) as anyone:
                for headers in (
                    {},
                    {"Authorization": "Bearer canary-wrong"},
                    {"Cookie": f"__Host-jobstream={token}"},
                ):
                    await anyone.http.head(f"{path}/stream", params={"token": token}, headers=headers)
                    await anyone.http.get(path, params={"token": token, "secret": "canary-query"}, headers=headers)
                await anyone.http.get(path, headers={"Authorization": "Bearer an-operators-secret"})
                await anyone.http.post(
                    "/v1/jobs", content=b'{"kind": "canary-body"', headers={"Authorization": f"Bearer {SECRET}"}
                )
        system.api.end()
        written = system.api.output.read_text()

    assert path in written
    assert [word for word in (SECRET, token, "canary", "an-operators-secret", "token=") if word in written] == []


async def test_a_blank_secret_is_none(tmp_path: Path, store: ValkeyProcess, redis: Client) -> None:
    """The process says at its start what to set, and refuses every protected call as its own fault."""
    with running_api(tmp_path / "api", store, BACKGROUND_FUNCTION_AUTH_TOKEN=" , ", JOBSTREAM_DEMO="0") as system:
        answers = [
            httpx2.get(f"{system.url}/v1/kinds", headers={"Authorization": f"Bearer {sent}"}) for sent in (",", "x")
        ]
        written = system.api.output.read_text()

    assert [answer.status_code for answer in answers] == [500] * 2
    assert {answer.json()["type"] for answer in answers} == {"/problems/server-misconfigured"}
    assert "BACKGROUND_FUNCTION_AUTH_TOKEN" in written
