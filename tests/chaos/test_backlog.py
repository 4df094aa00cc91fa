"""Jobs that wait for weeks before a worker comes, and what is left of a job when its time is over."""

import signal

from jobs import keys
from jobs.model import JobId
from tests.api import Api
from tests.chaos.arena import Arena, ended_by
from tests.chaos.invariants import broken_promises, leftovers
from tests.service.serving import serving
from tests.system import SECRET

DAY_MS = 24 * 3600 * 1000
LIFETIME_MS = 30 * DAY_MS
WEEKS_MS = 29 * DAY_MS
"""Far more than the day after which arq would forget a job."""


async def test_what_waited_for_weeks_without_a_worker_is_run(arena: Arena) -> None:
    """Jobs that were never begun, one that is due only then, and one that had gone to sleep."""
    stopped = arena.workers.start()
    asleep = await arena.submit("nap", pause=WEEKS_MS / 1000)
    await arena.reached(asleep, "waiting")
    await ended_by(stopped, signal.SIGTERM)
    fresh = [await arena.submit(kind, n=2) for kind in ("noop", "steps", "talk", "family", "nap")]
    later = await arena.submit("noop", delay=WEEKS_MS / 1000)
    await _let_pass(arena, WEEKS_MS)
    await arena.client.hincrby(f"{keys.PREFIX}{asleep}:kept", "nap", -WEEKS_MS * 1000)  # type: ignore[misc]  # its alarm

    arena.workers.start()

    for job_id in (asleep, later, *fresh):
        ended = await arena.ended(job_id)
        assert (ended["state"], ended["attempt"]) == ("completed", 1)
    assert await broken_promises(arena, await arena.everyone()) == []
    assert await leftovers(arena) == []


async def test_a_job_that_runs_at_last_keeps_all_that_it_has_for_a_whole_life(arena: Arena) -> None:
    """Nothing of it expires under its worker, neither what is old nor what is new."""
    job_id = await arena.submit("duet", n=2, pause=0.1)
    await _let_pass(arena, WEEKS_MS)
    arena.workers.start()

    await arena.logged(job_id, "delta", times=4)

    left = {name: await arena.client.pttl(name) for name in await arena.client.keys(f"{keys.PREFIX}{job_id}:*")}
    assert len(left) > len(("job", "input", "log", "parts", "steps"))
    assert min(left.values()) > LIFETIME_MS - DAY_MS, left
    assert (await arena.ended(job_id))["state"] == "completed"


async def test_a_job_whose_time_is_over_is_gone_for_everyone(arena: Arena) -> None:
    """Reading, watching and changing it are answered as if it had never been, and its key may be used anew."""
    arena.workers.start()
    job_id = await arena.submit("talk", n=1, idempotency_key="once")
    ended = await arena.ended(job_id)

    await _let_pass(arena, arena.kinds["talk"].retention_seconds * 1000)

    async with serving(arena.store.url, kinds=arena.kinds) as served, Api(served.url, SECRET) as api:
        path = f"/v1/jobs/{job_id}"
        answers = [
            await api.http.get(path),
            await api.http.get(path, headers={"If-None-Match": f'W/"{ended["cursor"]}"', "Prefer": "wait=30"}),
            await api.http.get(f"{path}/stream", headers={"Last-Event-ID": ended["cursor"]}),
            await api.http.get(f"{path}/updates"),
            await api.http.post(f"{path}/cancel"),
            await api.http.post(f"{path}/retry", json={"parts": ["voice"]}),
            await api.http.delete(path),
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert (await api.http.get("/v1/jobs")).json()["items"] == []
    again = await arena.submit("talk", n=1, idempotency_key="once")
    assert again != job_id
    assert (await arena.ended(again))["state"] == "completed"


async def _let_pass(arena: Arena, ms: int) -> None:
    """Make everything in the store so much older: what expires does, and what is due later comes nearer."""
    async for name in arena.client.scan_iter("*", count=1000):
        left = await arena.client.pttl(name)
        if left > 0:
            await arena.client.pexpire(name, left - ms)
    for job_id in await arena.client.zrange(keys.SCHEDULED, 0, -1):
        await arena.client.hincrby(keys.job(JobId(job_id.decode())), "score", -ms)  # type: ignore[misc]
    for order in (keys.QUEUE, keys.SCHEDULED, keys.TRIMS):
        for job_id in await arena.client.zrange(order, 0, -1):
            await arena.client.zincrby(order, -ms, job_id)
