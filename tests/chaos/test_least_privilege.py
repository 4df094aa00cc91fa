"""Users of the store who may do no more than their process needs, as `docs/store-users.acl` has them."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager
from pathlib import Path

import pytest
import redis

from jobs import keys
from jobs.valkey import server_binary
from tests.api import Api, comparable, follow
from tests.chaos.machine import program
from tests.service.edge import OPERATOR_SECRET
from tests.system import ROOT, SECRET, System
from tests.valkey import ValkeyProcess, running_valkey

USERS = ROOT / "docs" / "store-users.acl"
ROLES = ("api", "worker", "admin")
OTHER = "another-application"

SCRIPTS = {
    "api": "submit cancel forget retry read page place snapshot quota quota_keep quota_give_back sessions"
    " deliveries_again",
    "worker": "submit cancel forget snapshot claim append renew release postpone suspend reconcile trim add_round"
    " sessions deliveries_take deliveries_settle",
}
"""The scripts that each role runs; `lib` is a part of all of them."""

DANGEROUS = """
    FLUSHALL; FLUSHDB; CONFIG SET maxmemory 1; CONFIG GET *; CONFIG REWRITE; KEYS *; SCAN 0; RANDOMKEY; DEBUG SLEEP 0
    SHUTDOWN NOSAVE; SAVE; BGSAVE; BGREWRITEAOF; REPLICAOF 127.0.0.1 1; SLAVEOF NO ONE; FAILOVER; SWAPDB 0 1
    MODULE LIST; MODULE LOAD /tmp/module.so; SCRIPT FLUSH; SCRIPT KILL; FUNCTION FLUSH; EVAL return(1) 0
    ACL LIST; ACL SETUSER stranger on nopass +@all; MONITOR; SLOWLOG GET; CLIENT KILL TYPE normal; CLIENT PAUSE 1
    MIGRATE 127.0.0.1 1 js:queue 0 1; DUMP js:queue; RESTORE js:x 0 x; RENAME js:queue js:x; COPY js:queue js:x
    MOVE js:queue 1; SORT js:queue; PSUBSCRIBE *; CLUSTER RESET; LATENCY RESET; PFDEBUG GETREG js:x; PSYNC ? -1
"""

OUT_OF_REACH = f"""
    GET {OTHER}; SET {OTHER} x; DEL {OTHER}; EXISTS js:queue {OTHER}; HGETALL {OTHER}; TYPE {OTHER}
    PUBLISH {OTHER} x; SUBSCRIBE {OTHER}; SUBSCRIBE *
"""

WRITES = "DEL js:queue; SET js:x x; ZADD js:queue 1 x; PUBLISH js:cancels x; EVALSHA x 0; EXPIRE js:queue 1; MULTI"


@pytest.fixture(params=["the embedded Valkey", "the machine's Redis"])
def guarded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ValkeyProcess]:
    """Each server that jobs may be kept in, with the users of the file."""
    wanted = request.param == "the embedded Valkey"
    with _running(tmp_path, server_binary() if wanted else program("redis-server", "redis-server")) as store:
        yield store


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_do_what_could_end_or_empty_the_store_or_look_beyond_the_jobs(
    role: str, guarded: ValkeyProcess
) -> None:
    """Each command is refused for who asks, be it with a key of ours or another's."""
    with _as(role, guarded) as client:
        allowed = [command for command in _commands(DANGEROUS + OUT_OF_REACH) if not _is_refused(client, command)]
        assert client.ping()

    assert allowed == []


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_script_reaches_no_further_than_who_runs_it(role: str, guarded: ValkeyProcess) -> None:
    """A key of another application is refused to it too, wherever its name comes from."""
    with _as(role, guarded) as client:
        read = client.script_load("return redis.call('GET', ARGV[1])")

        assert client.evalsha(read, 0, f"{keys.PREFIX}x") is None
        with pytest.raises(redis.ResponseError, match=r"(?i)no permission|can't access|acl"):
            client.evalsha(read, 0, OTHER)


def test_the_admin_looks_at_jobs_and_changes_nothing(guarded: ValkeyProcess) -> None:
    """The dead and the waiting can be seen; commands that write are refused."""
    with _as("admin", guarded) as client:
        assert client.zrange(keys.QUEUE, 0, -1) == client.zrange(keys.DEAD_LETTERS, 0, -1) == []
        assert client.info("memory")
        assert [command for command in _commands(WRITES) if not _is_refused(client, command)] == []


@pytest.mark.parametrize("role", SCRIPTS)
def test_a_role_may_do_all_that_its_scripts_do(role: str) -> None:
    """A command that a script comes to call must come to the file."""
    (own,) = (line for line in USERS.read_text().splitlines() if line.startswith(f"user {role} "))
    folder = ROOT / "jobs" / "lua"
    scripts = "".join((folder / f"{name}.lua").read_text() for name in f"lib {SCRIPTS[role]}".split())
    called = set(re.findall(r"redis\.call\(\s*'([A-Z]+)'", scripts))

    assert len(called) > len(ROLES)
    assert {command for command in called if f"+{command.lower()}" not in own.split()} == set()


async def test_api_and_worker_do_their_work_with_no_more_rights_than_that(tmp_path: Path) -> None:
    """A job is submitted, streamed, cancelled, retried, listed and deleted; nothing of it was refused to anyone."""
    with _running(tmp_path, server_binary()) as store, _working(tmp_path, store) as system:
        async with Api(system.url, SECRET) as api:
            job = await api.submit("Tell me about rivers.", subject="somebody")
            await _cancel_and_retry(api, job["id"])
            heard = await follow(api, job["id"])
            assert comparable(heard.snapshot) == comparable(await api.poll(job["id"]))
            assert heard.snapshot["state"] == "completed"
            await _use_the_rest(api, job["id"])
        async with Api(system.url, OPERATOR_SECRET) as operator:
            await _operate(operator)
        with _as("tester", store) as client:
            refused = client.acl_log()
    assert [entry for entry in refused if entry["object"] != "client|setinfo"] == []  # redis-py tells its name


async def _cancel_and_retry(api: Api, job_id: str) -> None:
    async with aclosing(api.listen(job_id)) as events:
        async for event in events:
            if event.event == "delta":
                break
    assert (await api.http.post(f"/v1/jobs/{job_id}/cancel")).status_code == 202
    assert (await api.ended(job_id))["state"] == "cancelled"
    assert (await api.http.post(f"/v1/jobs/{job_id}/retry")).status_code == 202


async def _use_the_rest(api: Api, job_id: str) -> None:
    """What else there is: events, tokens and the limits of who has one, lists, and forgetting."""
    event = {"name": "chat", "data": {"message": "Hello."}, "delay": 0.1, "idempotency_key": "once"}
    sent = (await api.http.post("/v1/events", json=event)).json()
    assert (await api.ended(sent["job_ids"][0]))["state"] == "completed"
    minted = {"subject": "somebody", "scopes": ["read", "cancel", "submit:chat"]}
    token = (await api.http.post("/v1/tokens", json=minted)).json()["token"]
    async with Api(str(api.http.base_url), token) as browser:
        own = await browser.submit("And seas?")
        assert (await browser.ended(own["id"]))["state"] == "completed"
        assert (await browser.http.delete(f"/v1/jobs/{own['id']}")).status_code == 204
    for path in ("/readyz?worker=1", "/v1/jobs", "/v1/dead-letters", f"/v1/events/{sent['event_id']}"):
        assert (await api.http.get(path)).status_code == 200, path
    assert (await api.http.get(f"/v1/jobs/{job_id}/updates")).status_code == 200
    assert (await api.http.delete("/v1/subjects/somebody")).status_code == 202


async def _operate(operator: Api) -> None:
    """What the operator looks at and does; the pause is honoured by the worker, and ended by it."""
    for path in ("kinds/chat/pause", "kinds/chat/resume", "schedules/nightly-summaries/run"):
        assert (await operator.http.post(f"/v1/operator/{path}")).is_success, path
    job = await operator.submit("And lakes?")
    assert (await operator.ended(job["id"]))["state"] == "completed"
    own = f"jobs/{job['id']}"
    lists = ("jobs", "dead-letters", "deliveries", "kinds", "schedules", "audit")
    for path in ("figures", own, f"{own}/contents", *lists):
        assert (await operator.http.get(f"/v1/operator/{path}")).status_code == 200, path


@contextmanager
def _running(folder: Path, server: Path) -> Iterator[ValkeyProcess]:
    """A store with the users of the file, and one more who sees what was refused to them. It would do anything that
    its users may."""
    users = folder / "users.acl"
    users.write_text(f"{USERS.read_text()}user tester on nopass ~* &* +@all\n")
    options = ["--aclfile", str(users), "--enable-debug-command", "yes", "--enable-module-command", "yes"]
    with running_valkey(folder, *options, program=server) as store:
        yield store


@contextmanager
def _working(folder: Path, store: ValkeyProcess) -> Iterator[System]:
    """A product whose processes are each a user of its own, ready for jobs."""
    operated = {"JOBSTREAM_OPERATOR": "1", "JOBSTREAM_OPERATOR_SECRET": OPERATOR_SECRET}
    system = System(folder, store, pace=0.001, settings={"REDIS_URL": _url("api", store), **operated})
    to_sandbox = {"JOBSTREAM_SANDBOX_URL": system.sandbox_url}
    system.worker = System(
        folder, store, pace=0.001, settings={"REDIS_URL": _url("worker", store), **to_sandbox}
    ).worker
    with ExitStack() as stack:
        for process in (system.sandbox, system.api, system.worker):
            stack.callback(process.kill)
            process.start()
        system.wait_until_ready()
        yield system


def _as(role: str, store: ValkeyProcess) -> redis.Redis:
    return redis.Redis.from_url(_url(role, store), socket_timeout=5)


def _url(role: str, store: ValkeyProcess) -> str:
    return store.url.replace("unix://", f"unix://{role}:{role.upper()}-PASSWORD@")


def _commands(text: str) -> list[list[str]]:
    return [command.split() for command in re.split(r"[;\n]", text) if command.strip()]


def _is_refused(client: redis.Redis, command: list[str]) -> bool:
    """Whether the store says that this user may not, and not that the command is wrong."""
    try:
        client.execute_command(*command)  # type: ignore[no-untyped-call]
    except redis.exceptions.NoPermissionError:
        return True
    except redis.ResponseError:
        return False
    return False
