"""The store's first server dies under load; two APIs and two workers behind nginx, and all who watch, go on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx2
import redis

from jobs.model import JobId, JsonObject
from tests.api import Api
from tests.chaos.arena import open_arena_on
from tests.chaos.failover import Group, Server, running_group
from tests.chaos.invariants import broken_promises, lasting_leftovers
from tests.cuts.holding import Holding
from tests.cuts.reader import AWAY, Reader
from tests.cuts.readers import Polling
from tests.cuts.readers.server_sent import Sse
from tests.cuts.readers.sockets import Socket
from tests.deploy.front import Front, Nginx, running_front
from tests.deploy.site import Site, running_site
from tests.figures import Say
from tests.jobs.patience import until
from tests.system import SECRET
from tests.transports.reference import told

JOBS = 40
LATER_JOBS = 10
PATIENCE_SECONDS = 240.0
SETTINGS = {"JOBSTREAM_ALLOW_PLAIN_REDIS": "1", "JOBSTREAM_SANDBOX_PACE": "1.5"}


class LenientPolling(Polling):
    """Takes whatever is the job now: what a store forgot that died may be taken back."""

    async def read_on(self, http: httpx2.AsyncClient) -> None:
        response = await http.get(f"/v1/jobs/{self.only.job_id}")
        assert response.status_code in (200, *AWAY), response.text
        if response.status_code == 200:
            self.only.held = told(response.json())
        await asyncio.sleep(1)


WATCHING: tuple[type[Reader], ...] = (Sse, Socket, LenientPolling)


async def test_a_failover_under_load_loses_no_acknowledged_job_and_no_watcher(tmp_path: Path, say: Say) -> None:
    """Each job ends once, with one kept answer; whoever watched it has what polling returns."""
    with running_group(tmp_path) as group, running_site(tmp_path / "site", group.url, settings=SETTINGS) as site:
        with running_front(Nginx, tmp_path / "front", site.ports) as front:
            async with Api(front.url, SECRET, trusts=front.trusts) as api, open_arena_on(group, tmp_path) as arena:
                ids = list(await asyncio.gather(*[_accepted(api, f"Question {at}") for at in range(JOBS)]))
                async with _watched(front, ids) as readers:
                    await until(partial(_all_speak, readers))
                    await _replicated(group)
                    going_on = sum(not reader.done for reader in readers)
                    group.kill()
                    killed = asyncio.get_running_loop().time()
                    ids.append(await _accepted(api, "The first question after the kill"))
                    resumed = asyncio.get_running_loop().time() - killed
                    ids += await asyncio.gather(*[_accepted(api, f"Later question {at}") for at in range(LATER_JOBS)])
                ended = [await api.ended(job_id) for job_id in ids]

                assert [each["state"] for each in ended] == ["completed"] * len(ids)
                assert _unlike(readers, {each["id"]: told(each) for each in ended}) == []
                assert await broken_promises(arena, [JobId(each) for each in ids], forgetful=True) == []
                assert await lasting_leftovers(arena) == []
                assert [each["id"] for each in ended if _kept_answers(each) != 1] == []
        gaps = [reason for reader in readers for reason in reader.only.reasons[1:]]
        say(f"failover behind nginx: a job was accepted {resumed:.1f} s after the kill of the first server")
        say(f"failover behind nginx: {going_on} of {len(readers)} watchers were in the middle of a job")
        say(f"failover behind nginx: they were given {len(gaps)} snapshots more")
        say(f"failover behind nginx: {await _asked(site)} questions to the provider for {len(ids)} jobs")


async def _accepted(api: Api, message: str) -> str:
    """The id of a chat with one provider; sent with one key until it is accepted, as our clients do."""
    body = {"kind": "chat", "input": {"message": message, "provider": "openai"}, "idempotency_key": message}
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            response = await api.http.post("/v1/jobs", json=body)
            if response.status_code not in AWAY:
                assert response.status_code in (200, 202), response.text
                return str(response.json()["id"])
            await asyncio.sleep(0.1)


@asynccontextmanager
async def _watched(front: Front, ids: list[str]) -> AsyncIterator[list[Reader]]:
    """Who watches each job by each way, through the proxy; the block's end waits for theirs."""
    readers = [kind(front.url, [job_id], trusts=front.trusts) for job_id in ids for kind in WATCHING]
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
        for reader in readers:
            tasks.create_task(reader.read())
        yield readers


async def _all_speak(readers: list[Reader]) -> bool:
    """Whether every job's answer has begun, and somebody streams it."""
    return all(_text_of(reader.only) for reader in readers if reader.streams)


def _text_of(holding: Holding) -> str:
    return "".join(part["text"] for part in holding.held.get("parts", {}).values())


async def _replicated(group: Group) -> None:
    """Return when the second server has all that the first had acknowledged at the call."""
    acknowledged = _offset(group.first, "master_repl_offset")

    async def there() -> bool:
        return _offset(group.second, "slave_repl_offset") >= acknowledged

    await until(there)


def _offset(server: Server, name: str) -> int:
    with redis.Redis(port=server.port) as client:
        return int(client.info("replication")[name])


def _unlike(readers: list[Reader], polled: dict[str, JsonObject]) -> list[str]:
    """Who holds another job in the end than the one that polling returns."""
    return [
        f"{type(reader).__name__} of {reader.only.job_id}"
        for reader in readers
        if reader.only.held | {"cursor": None} != polled[reader.only.job_id] | {"cursor": None}
    ]


def _kept_answers(job: JsonObject) -> int:
    return sum(step["name"].startswith("answer.") and step["state"] == "completed" for step in job["steps"])


async def _asked(site: Site) -> int:
    async with httpx2.AsyncClient(trust_env=False) as http:
        asked = (await http.get(f"{site.sandbox_url}/sandbox/requests")).json()["requests"]
    return sum(each["count"] for each in asked)
