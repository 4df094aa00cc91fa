"""How a WebSocket ends: what is said before, and the code that it is closed with."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from jobs.model import JobId
from tests.api import Api
from tests.jobs.doors import Doors
from tests.service.edge import KEYRING, Edge, browser, edge
from tests.system import SECRET
from tests.transports.logs import submit, vanish
from tests.transports.sockets import dial, hear, names, problems, say
from tests.valkey import ValkeyProcess


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"op": "dance"}', 4400),
        ("x", 4400),
        (b'{"op": "ping"}', 4400),
        ('{"op": "ping", "more": 1}', 4400),
        ('{"op": "ping", "more": "' + "x" * 64 * 1024 + '"}', 1009),
    ],
    ids=["unknown op", "no JSON", "bytes", "more than an op", "too large"],
)
@pytest.mark.parametrize("path", ["/v1/ws", "/v1/jobs/{job}/ws"])
async def test_what_may_not_be_said_closes_the_connection(
    caller: Api, path: str, message: str | bytes, code: int
) -> None:
    """4400 says why before, on a socket of many and on that of one, on which nothing at all may be said."""
    path = path.format(job=await submit(caller))
    async with dial(caller, path) as socket:
        await socket.send(message)
        heard = [each for each in await hear(socket) if each.get("event") != "snapshot"]

    assert socket.close_code == code
    assert problems(heard) == (["invalid-request"] if code == 4400 else [])


async def test_a_client_that_says_too_much_is_told_to_come_back_later(caller: Api) -> None:
    """1013 at the eleventh message of a second, with the reason before."""
    async with dial(caller, "/v1/ws") as socket:
        with suppress(ConnectionClosed):
            for _ in range(30):
                await say(socket, op="ping")
        heard = await hear(socket)

    assert (names(heard)[-1], problems(heard), socket.close_code) == ("error", ["rate-limited"], 1013)


async def test_a_refusal_is_told_after_the_connection_is_accepted(service: Edge, caller: Api) -> None:
    """With a problem and a code, because browsers hide a status."""
    job = (await caller.submit("written by hand", subject="one"))["id"]
    own, unknown = f"/v1/jobs/{job}/ws", f"/v1/jobs/{'x' * 32}/ws"
    nobody, stranger, foreign = Api(service.url, None), Api(service.url, "wrong"), browser(service, "two")
    blind = browser(service, "one", frozenset({"cancel"}))
    cases: list[tuple[Api, str, str, int]] = [
        (nobody, own, "unauthorized", 4401),
        (stranger, own, "unauthorized", 4401),
        (stranger, "/v1/ws", "unauthorized", 4401),
        (blind, own, "forbidden", 4401),
        (foreign, own, "job-not-found", 4404),
        (caller, unknown, "job-not-found", 4404),
        (caller, own + "?after=x", "invalid-cursor", 4400),
        (caller, own + "?after=m.AAAA", "invalid-cursor", 4400),
    ]

    for api, path, slug, code in cases:
        async with dial(api, path) as socket:
            heard = await hear(socket)
        assert (problems(heard), socket.close_code) == ([slug], code), (path, slug)
    for api in (nobody, stranger, foreign, blind):
        await api.http.aclose()


End = Callable[[Edge, Doors, str], Awaitable[None]]


async def stop(service: Edge, doors: Doors, job_id: str) -> None:
    service.parts.feed.stop()


async def delete(service: Edge, doors: Doors, job_id: str) -> None:
    await vanish(doors, job_id)


async def finish(service: Edge, doors: Doors, job_id: str) -> None:
    await doors.queue.cancel(JobId(job_id))


@pytest.mark.parametrize(
    ("end", "last", "code"), [(stop, "bye", 1012), (delete, "problem", 4404), (finish, "end", 1000)]
)
async def test_the_socket_of_one_job_closes_with_what_ended_it(
    store: ValkeyProcess, doors: Doors, end: End, last: str, code: int
) -> None:
    """Said in words before."""
    async with edge(store.url) as service, Api(service.url, SECRET) as api:
        job_id = await submit(api)
        async with dial(api, f"/v1/jobs/{job_id}/ws") as socket:
            await hear(socket, "snapshot")
            await end(service, doors, job_id)
            heard = await hear(socket)

    assert (names(heard), socket.close_code) == ([last], code)


@pytest.mark.parametrize(("why", "code"), [("shutdown", 1012), ("rotate", 1012), ("unauthorized", 4401)])
@pytest.mark.parametrize("path", ["/v1/ws", "/v1/jobs/{job}/ws"])
async def test_a_close_that_the_server_chooses_is_said_once(
    store: ValkeyProcess, doors: Doors, path: str, why: str, code: int
) -> None:
    """For all that is followed; 1012 where the client may come back as it is, 4401 where it needs a credential."""
    async with edge(store.url, rotate_seconds=0.5 if why == "rotate" else 3600) as service:
        async with Api(service.url, SECRET) as server:
            job_id = await submit(server)
        token = KEYRING.stream_token(JobId(job_id), seconds=6 if why == "unauthorized" else 7200).token
        async with Api(service.url, token) as page, dial(page, path.format(job=job_id)) as socket:
            if path == "/v1/ws":
                await say(socket, op="subscribe", job=job_id)
            if why == "shutdown":
                await hear(socket, "snapshot")
                service.parts.feed.stop()
            heard = await hear(socket)

    byes = [each for each in heard if each.get("event") == "bye"]
    assert ([each["data"] for each in byes], heard[-1]) == ([{"reason": why}], byes[0])
    assert "id" not in byes[0]
    assert socket.close_code == code
