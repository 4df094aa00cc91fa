"""WebSockets: what each op is answered, and how a connection ends."""

import json
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from jobs.model import State
from tests.api import Api
from tests.jobs.doors import Doors
from tests.service.serving import Serving
from tests.system import SECRET
from tests.transports.hand import story, take_in_hand

SERVICE = {"Authorization": f"Bearer {SECRET}"}


def dial(service: Serving, path: str, credential: dict[str, str] | None = None) -> connect:
    """A WebSocket to the service, with its subprotocol."""
    url = service.url.replace("http", "ws", 1) + path
    headers = SERVICE if credential is None else credential
    return connect(url, subprotocols=["jobs.v1"], additional_headers=headers, proxy=None)  # type: ignore[list-item]


async def hear(socket: ClientConnection, until: str | None = None) -> list[dict[str, Any]]:
    """What is said, up to an op or event, or until the server closes."""
    heard: list[dict[str, Any]] = []
    with suppress(ConnectionClosed):
        while until is None or until not in {each.get(name) for each in heard[-1:] for name in ("op", "event")}:
            heard.append(json.loads(await socket.recv()))
    return heard


async def ended(caller: Api, doors: Doors) -> str:
    """A job whose whole story is written."""
    job_id: str = (await caller.submit("written by hand"))["id"]
    hand = await take_in_hand(doors, job_id)
    await hand.write(*story(hand, State.COMPLETED))
    return job_id


async def test_the_socket_of_an_ended_job_says_all_of_it_and_closes(
    service: Serving, caller: Api, doors: Doors
) -> None:
    """1000, also for whoever has heard the end already."""
    job_id = await ended(caller, doors)

    async with dial(service, f"/v1/jobs/{job_id}/ws") as socket:
        snapshot, end = await hear(socket)
    async with dial(service, f"/v1/jobs/{job_id}/ws?after={end['id']}") as again:
        nothing = await hear(again)

    assert (snapshot["event"], snapshot["job"], end["event"], nothing) == ("snapshot", job_id, "end", [])
    assert (socket.subprotocol, socket.close_code, again.close_code) == ("jobs.v1", 1000, 1000)


async def test_a_subscription_ends_with_its_end_and_may_begin_again(
    service: Serving, caller: Api, doors: Doors
) -> None:
    """Whoever has heard the end is told nothing more; after it the connection stays open for other ops."""
    job_id = await ended(caller, doors)

    async with dial(service, "/v1/ws") as socket:
        await socket.send(json.dumps({"op": "subscribe", "job": job_id}))
        heard = await hear(socket, until="end")
        await socket.send(json.dumps({"op": "subscribe", "job": job_id, "after": heard[-1]["id"]}))
        await socket.send(json.dumps({"op": "unsubscribe", "job": job_id}))
        await socket.send(json.dumps({"op": "ping"}))
        rest = await hear(socket, until="pong")

    assert [each.get("op") or each["event"] for each in heard] == ["subscribed", "snapshot", "end"]
    assert [each["op"] for each in rest] == ["subscribed", "unsubscribed", "pong"]


async def test_a_refused_op_leaves_the_rest_alone(service: Serving, caller: Api, doors: Doors) -> None:
    """An unknown job, a malformed cursor, and a job that is followed already."""
    job_id: str = (await caller.submit("written by hand"))["id"]
    ops = [{"op": "subscribe", "job": job_id}, {"op": "subscribe", "job": job_id}, {"op": "subscribe", "job": "x"}]
    ops.append({"op": "subscribe", "job": job_id, "after": "m.x"})

    async with dial(service, "/v1/ws") as socket:
        for op in [*ops, {"op": "ping"}]:
            await socket.send(json.dumps(op))
        heard = await hear(socket, until="pong")

    problems = [each["problem"]["type"] for each in heard if each.get("op") == "error"]
    assert problems == [f"/problems/{slug}" for slug in ("invalid-request", "job-not-found", "invalid-cursor")]


async def test_what_is_malformed_or_too_much_closes_the_connection(service: Serving) -> None:
    """4400 for what is no op, 1013 for the eleventh message of a second; both say why before."""
    codes = []
    for messages in (['{"op": "dance"}'], ["x"], [b"x"], ['{"op": "ping"}'] * 30):
        async with dial(service, "/v1/ws") as socket:
            with suppress(ConnectionClosed):
                for message in messages:
                    await socket.send(message)
            heard = await hear(socket)
        assert heard[-1]["op"] == "error"
        codes.append(socket.close_code)

    assert codes == [4400, 4400, 4400, 1013]


async def test_a_refusal_is_told_after_the_connection_is_accepted(service: Serving, caller: Api) -> None:
    """4401 and 4404, with a problem: browsers hide a status."""
    job_id: str = (await caller.submit("written by hand"))["id"]

    async with dial(service, f"/v1/jobs/{job_id}/ws", {}) as stranger:
        (refused,) = await hear(stranger)
    async with dial(service, f"/v1/jobs/{'x' * 32}/ws") as lost:
        (unknown,) = await hear(lost)

    assert (refused["problem"]["type"], stranger.close_code) == ("/problems/unauthorized", 4401)
    assert (unknown["problem"]["type"], lost.close_code) == ("/problems/job-not-found", 4404)


async def test_a_server_that_stops_says_bye_first(service: Serving, caller: Api) -> None:
    """1012, with one farewell for all that is followed."""
    job_id: str = (await caller.submit("written by hand"))["id"]
    async with dial(service, "/v1/ws") as socket:
        await socket.send(json.dumps({"op": "subscribe", "job": job_id}))
        await hear(socket, until="snapshot")
        service.parts.feed.stop()
        (bye,) = await hear(socket)

    assert (bye["event"], bye["data"], "id" in bye) == ("bye", {"reason": "shutdown"}, False)
    assert socket.close_code == 1012
