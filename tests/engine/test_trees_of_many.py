"""A tree of two hundred sessions, three of them changed: what is asked about them, and what a killed worker adds."""

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256

import httpx2
import pytest

from jobs.connection import connect
from jobs.model import JsonObject
from jobs.sessions import Sessions
from tests.api import Api
from tests.jobs.patience import until
from tests.system import SECRET, System, running_system

MANY = 200
CHANGED = ("s7", "s77", "s177")


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A product whose provider takes its time, so that a worker can be killed in the middle of an answer; its
    lease is long, since a slow machine must not lose one."""
    folder = tmp_path_factory.mktemp("trees")
    with running_system(folder, pace=0.3, settings={"JOBSTREAM_LEASE": "10"}) as running:
        yield running


@pytest.fixture
async def api(system: System) -> AsyncIterator[Api]:
    """The service secret, whose tree is summarised but for three sessions, and a provider that nobody has asked."""
    async with Api(system.url, SECRET) as api, connect(system.store.url) as client:
        sessions = Sessions(client)
        await client.flushall()
        names = [f"s{number}" for number in range(MANY)]
        for name in names:
            await put(api, name, f"What was said in {name}.")
            found = await sessions.session(None, name)
            await sessions.keep_summary(None, name, found.content_hash, f"{name} in a sentence.")
        await api.http.put("/v1/trees/t", json={"session_ids": names})
        tree = await sessions.tree(None, "t")
        await sessions.keep_tree_summary(None, tree, tree.content_hash, "All of them in a sentence.")
        for name in CHANGED:
            await put(api, name, f"What was said in {name} since.")
        httpx2.delete(f"{system.sandbox_url}/sandbox/requests")
        yield api


async def put(api: Api, session_id: str, content: str) -> None:
    answer = await api.http.put(
        f"/v1/sessions/{session_id}", json={"messages": [{"role": "user", "content": content}]}
    )
    assert answer.status_code == 204


async def preflight(api: Api) -> JsonObject:
    told: JsonObject = (await api.http.post("/v1/trees/t/preflight")).json()
    assert told["stale_session_ids"] == list(CHANGED)
    return told


def asked(system: System) -> dict[str, int]:
    """How often each prompt was put to the provider, by its SHA-256."""
    requests = httpx2.get(f"{system.sandbox_url}/sandbox/requests").json()["requests"]
    return {each["prompt_sha256"]: each["count"] for each in requests}


def of_sessions() -> set[str]:
    """The prompts for the sessions that have changed."""
    return {sha256(f"user: What was said in {name} since.".encode()).hexdigest() for name in CHANGED}


async def jobs(api: Api) -> list[str]:
    """The kind of every job that there is."""
    return sorted([job["kind"] for job in (await api.http.get("/v1/jobs?limit=100")).json()["items"]])


def writes(snapshot: JsonObject) -> bool:
    """Whether the job's summary is being written just now."""
    part = snapshot["parts"].get("summary")
    return part is not None and part["state"] == "running" and part["text"] != ""


async def test_what_has_changed_is_summarised_and_nothing_else(system: System, api: Api) -> None:
    """Three sessions and the tree: four jobs, four questions."""
    job = await preflight(api)

    ended = await api.ended(job["job_id"])

    counts = asked(system)
    assert (ended["result"]["sessions_summarized"], ended["result"]["skipped"]) == (3, False)
    assert list(counts.values()) == [1, 1, 1, 1]
    assert of_sessions() < counts.keys()
    assert await jobs(api) == ["summarize-session"] * 3 + ["summarize-tree"]
    assert (await preflight_again(api)) == {"stale": False, "stale_session_ids": [], "job_id": None}


async def preflight_again(api: Api) -> JsonObject:
    told: JsonObject = (await api.http.post("/v1/trees/t/preflight")).json()
    return told


async def test_a_worker_that_is_killed_while_it_writes_the_trees_summary_repeats_no_sessions(
    system: System, api: Api
) -> None:
    """The sessions were asked about once; the tree's own answer, which was lost, is begun again."""
    job = (await preflight(api))["job_id"]

    async def in_the_middle() -> bool:
        return writes(await api.poll(job))

    await until(in_the_middle)
    system.worker.kill()
    system.worker.start()
    ended = await api.ended(job)

    counts = asked(system)
    assert (ended["state"], ended["result"]["sessions_summarized"]) == ("completed", 3)
    assert {prompt: counts[prompt] for prompt in of_sessions()} == dict.fromkeys(of_sessions(), 1)
    assert len(counts) == 4
    assert await jobs(api) == ["summarize-session"] * 3 + ["summarize-tree"]


async def test_a_worker_that_is_killed_while_it_writes_sessions_summaries_makes_no_more_jobs(
    system: System, api: Api
) -> None:
    """Three sessions and the tree, as without it; only answers that were cut off are asked for again."""
    job = (await preflight(api))["job_id"]

    async def in_the_middle() -> bool:
        listed = (await api.http.get("/v1/jobs?kind=summarize-session")).json()["items"]
        return any([writes(await api.poll(each["id"])) for each in listed])

    await until(in_the_middle)
    system.worker.kill()
    system.worker.start()
    ended = await api.ended(job)

    counts = asked(system)
    assert (ended["state"], ended["result"]["sessions_summarized"]) == ("completed", 3)
    assert len(counts) == 4
    assert of_sessions() < counts.keys()
    assert all(count <= 2 for count in counts.values())
    assert await jobs(api) == ["summarize-session"] * 3 + ["summarize-tree"]
