"""Clocks that differ by minutes: the store's is the one that counts, for jobs and their workers alike."""

import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial

import httpx2
import pytest

from jobs.clock import MICROSECONDS, from_microseconds, to_microseconds
from jobs.model import JobId, JsonObject
from jobs.roll import Roll
from tests.api import Api, comparable, follow
from tests.chaos.arena import LEASE_SECONDS, Arena
from tests.chaos.invariants import broken_promises, entries_of, leftovers
from tests.chaos.machine import faketime
from tests.jobs.patience import until
from tests.service.serving import serving
from tests.system import SECRET

MINUTES = 300
"""Far more than the patience of a test: whoever waits by a clock that is so wrong waits in vain, or not at all."""

DELAY_SECONDS = 1.0


def skewed(seconds: int) -> Mapping[str, str]:
    """The environment of a process whose clock is so far ahead, or behind; durations are as long as ever."""
    return {"LD_PRELOAD": str(faketime()), "FAKETIME": f"{seconds:+d}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def test_the_clocks_of_these_tests_are_wrong() -> None:
    """Or the other tests would show nothing."""
    command = [sys.executable, "-c", "import time; print(time.time(), time.monotonic())"]
    printed = subprocess.run(command, env=dict(skewed(MINUTES)), capture_output=True, check=True, text=True)

    wall, monotonic = map(float, printed.stdout.split())
    assert wall > time.time() + MINUTES / 2
    assert monotonic <= time.monotonic()


@pytest.mark.parametrize("ahead", [MINUTES, -MINUTES])
async def test_a_worker_whose_clock_is_wrong_runs_what_is_due_and_keeps_what_it_holds(
    ahead: int, arena: Arena
) -> None:
    """It is neither early nor late, counts as alive, and one with the right clock beside it takes nothing away."""
    arena.workers.start(environment=skewed(ahead))
    held = await arena.submit("steps", n=1, pause=2 * LEASE_SECONDS)
    await arena.acted(held)
    arena.workers.start(slots=1)
    delayed = await arena.submit("noop", delay=DELAY_SECONDS)
    asleep = await arena.submit("nap", pause=DELAY_SECONDS)

    ends = [await arena.ended(job_id) for job_id in (delayed, asleep, held)]
    await until(partial(_living, arena, 2))

    assert [(end["state"], end["attempt"]) for end in ends] == [("completed", 1)] * 3
    assert _began_after(ends[0]) >= DELAY_SECONDS
    assert await _slept(arena, asleep) >= DELAY_SECONDS
    assert not any(b"worker-lost" in entry.body for entry in await entries_of(arena, held))
    assert await broken_promises(arena, [held, delayed, asleep]) == []
    assert await leftovers(arena) == []


@pytest.mark.parametrize("ahead", [MINUTES, -MINUTES])
async def test_an_api_whose_clock_is_wrong_delays_and_tells_jobs_as_any_other(ahead: int, arena: Arena) -> None:
    """A delay and a moment are the store's; its own tokens are good with itself, and its streams tell all."""
    arena.workers.start()
    async with Api(arena.workers.serve(environment=skewed(ahead)), SECRET) as api:
        await until(partial(_is_ready, api))
        seconds, us = await arena.now()
        moment = from_microseconds((seconds + 1) * MICROSECONDS + us)
        delayed, timed = await _submit(api, "noop", delay=DELAY_SECONDS), await _submit(api, "noop", run_at=moment)
        talk = await _submit(api, "talk", pause=0.1)
        async with Api(str(api.http.base_url), talk["stream_token"]) as watcher:
            heard = await follow(watcher, talk["id"])

        assert comparable(heard.snapshot) == comparable(await api.poll(talk["id"]))
    job_ids = [JobId(job["id"]) for job in (delayed, timed, talk)]
    ends = [await arena.ended(job_id) for job_id in job_ids]
    assert [end["state"] for end in ends] == ["completed"] * 3
    assert _began_after(ends[0]) >= DELAY_SECONDS
    assert ends[1]["started_at"] >= moment
    assert await broken_promises(arena, job_ids) == []
    assert await leftovers(arena) == []


@pytest.mark.parametrize(("behind", "status"), [(5, 200), (MINUTES, 401)])
async def test_a_token_is_good_for_thirty_seconds_more_than_it_says(behind: int, status: int, arena: Arena) -> None:
    """Whoever minted it may have a clock that is a little behind; minutes are too much."""
    async with (
        serving(arena.store.url, kinds=arena.kinds) as served,
        Api(arena.workers.serve(environment=skewed(-behind)), SECRET) as minting,
    ):
        await until(partial(_answers, minting))
        minted = await minting.http.post("/v1/tokens", json={"subject": "somebody", "scopes": ["read"], "ttl": 1})
        async with Api(served.url, minted.json()["token"]) as browser:
            assert (await browser.http.get("/v1/jobs")).status_code == status


async def _submit(api: Api, kind: str, *, pause: float = 0.0, **more: object) -> JsonObject:
    response = await api.http.post("/v1/jobs", json={"kind": kind, "input": {"n": 1, "pause": pause}, **more})
    assert response.status_code == 202, response.text
    job: JsonObject = response.json()
    return job


def _began_after(snapshot: JsonObject) -> float:
    """Seconds from its submission to its start; the store's clock tells both."""
    return (to_microseconds(snapshot["started_at"]) - to_microseconds(snapshot["created_at"])) / MICROSECONDS


async def _slept(arena: Arena, job_id: JobId) -> float:
    """Seconds from when a worker took the job, and laid it to sleep, to when one took it again."""
    states = [entry for entry in await entries_of(arena, job_id) if entry.event == "state"]
    (asleep,) = (at for at, entry in enumerate(states) if b'"waiting"' in entry.body)
    taken, woken = states[asleep - 1], states[asleep + 1]
    return (woken.cursor.us - taken.cursor.us) / MICROSECONDS


async def _living(arena: Arena, workers: int) -> bool:
    return await Roll(arena.client).living() == workers


async def _is_ready(api: Api) -> bool:
    """Whether the API answers, and counts a living worker."""
    return await _answers(api, "/readyz?worker=1")


async def _answers(api: Api, path: str = "/readyz") -> bool:
    try:
        return (await api.http.get(path)).status_code == 200
    except httpx2.TransportError:
        return False
