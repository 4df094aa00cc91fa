"""WebSockets: what each op is answered, and who may follow what."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.typing import Subprotocol

from jobs.model import JobId, JsonObject, State
from tests.api import Api
from tests.jobs.doors import Doors
from tests.service.edge import KEYRING, Edge, browser, edge, watcher
from tests.system import SECRET
from tests.transports.hand import story, take_in_hand
from tests.transports.logs import ended, submit
from tests.transports.reference import held_after, told
from tests.transports.sockets import PROTOCOL, dial, hear, messages, names, problems, say
from tests.valkey import ValkeyProcess


async def said_after(socket: ClientConnection, until: str, *ops: JsonObject) -> list[JsonObject]:
    """What is said after the ops, up to an op or event."""
    for op in ops:
        await say(socket, **op)
    return await hear(socket, until)


async def test_the_socket_of_an_ended_job_says_all_of_it_and_closes(caller: Api, doors: Doors) -> None:
    """1000, also for whoever has heard the end already."""
    job_id = await ended(caller, doors)

    async with dial(caller, f"/v1/jobs/{job_id}/ws") as socket:
        snapshot, end = await hear(socket)
    async with dial(caller, f"/v1/jobs/{job_id}/ws?after={end['id']}") as again:
        nothing = await hear(again)

    assert (snapshot["event"], snapshot["job"], end["event"], nothing) == ("snapshot", job_id, "end", [])
    assert (socket.subprotocol, socket.close_code, again.close_code) == ("jobs.v1", 1000, 1000)


@pytest.mark.parametrize(("offered", "chosen"), [((), None), (("x",), None), (("x", PROTOCOL), PROTOCOL)])
async def test_our_subprotocol_is_spoken_where_it_is_offered(
    caller: Api, offered: tuple[Subprotocol, ...], chosen: str | None
) -> None:
    """And the same is said without it."""
    async with dial(caller, "/v1/ws", subprotocols=offered) as socket:
        heard = await said_after(socket, "pong", {"op": "ping"})

    assert (socket.subprotocol, heard) == (chosen, [{"op": "pong"}])


async def test_a_subscription_ends_with_its_end_and_may_begin_again(caller: Api, doors: Doors) -> None:
    """Whoever has heard the end is told nothing more; after it the connection stays open for other ops."""
    job_id = await ended(caller, doors)

    async with dial(caller, "/v1/ws") as socket:
        heard = await said_after(socket, "end", {"op": "subscribe", "job": job_id})
        rest = await said_after(
            socket,
            "pong",
            {"op": "subscribe", "job": job_id, "after": heard[-1]["id"]},
            {"op": "unsubscribe", "job": job_id},
            {"op": "ping"},
        )
        await caller.http.post(f"/v1/jobs/{job_id}/retry", json={"parts": ["google"]})
        again = await said_after(socket, "part", {"op": "subscribe", "job": job_id, "after": heard[-1]["id"]})

    assert names(heard) == ["subscribed", "snapshot", "end"]
    assert names(rest) == ["subscribed", "unsubscribed", "pong"]
    assert names(again) == ["subscribed", "state", "part"]


async def test_many_jobs_are_followed_on_one_socket(caller: Api, doors: Doors) -> None:
    """Each message names its job and its place in it, and folding each gives what polling returns."""
    hands = {}
    for _ in range(3):
        job_id = await submit(caller)
        hands[job_id] = await take_in_hand(doors, job_id)
    held: dict[str, JsonObject] = {}
    async with dial(caller, "/v1/ws") as socket:
        for job_id in hands:
            await say(socket, op="subscribe", job=job_id)
        stories = [story(hand, State.CANCELLED) for hand in hands.values()]
        for lines in zip(*stories, strict=True):
            for hand, line in zip(hands.values(), lines, strict=True):
                await hand.write(line)
        async for message in messages(socket):
            if "event" in message:
                assert message.keys() == {"id", "job", "event", "data"}
                view = held.get(message["job"], {})
                held[message["job"]] = held_after(view, message["id"], message["event"], message["data"])
            if [view["state"] for view in held.values()] == ["cancelled"] * 3:
                break

    assert held == {job_id: told(await caller.poll(job_id)) for job_id in hands}


async def test_a_job_is_left_and_taken_up_again_in_the_middle(caller: Api, doors: Doors) -> None:
    """After `unsubscribed` nothing is said of it; from its last cursor it goes on without a gap."""
    left = await submit(caller)
    hand = await take_in_hand(doors, left)
    kept = await submit(caller)
    async with dial(caller, "/v1/ws") as socket:
        heard = await said_after(socket, "snapshot", {"op": "subscribe", "job": left})
        await hand.write(hand.begin("openai"))
        heard += await hear(socket, "part")
        await said_after(socket, "unsubscribed", {"op": "unsubscribe", "job": left})
        await hand.write(hand.say("openai", "a"))
        while_away = await said_after(socket, "snapshot", {"op": "subscribe", "job": kept})
        place = heard[-1]["id"]
        await hand.write(hand.say("openai", "b"))
        rest = await said_after(socket, "delta", {"op": "subscribe", "job": left, "after": place})
        rest += await hear(socket, "delta")

    assert names(while_away) == ["subscribed", "snapshot"]
    assert {message["job"] for message in while_away} == {kept}
    assert [message["data"]["text"] for message in rest if message.get("event") == "delta"] == ["a", "b"]


async def test_a_refused_op_leaves_the_rest_alone(caller: Api) -> None:
    """A job that is followed already, an unknown one, a malformed cursor; each refusal names the op's job."""
    job_id = await submit(caller)
    async with dial(caller, "/v1/ws") as socket:
        heard = await said_after(
            socket,
            "pong",
            {"op": "subscribe", "job": job_id},
            {"op": "subscribe", "job": job_id},
            {"op": "subscribe", "job": "x"},
            {"op": "subscribe", "job": job_id, "after": "m.x"},
            {"op": "cancel", "job": "y"},
            {"op": "unsubscribe", "job": "z"},
            {"op": "ping"},
        )

    assert problems(heard) == ["invalid-request", "job-not-found", "invalid-cursor", "job-not-found"]
    assert [each["job"] for each in heard if each.get("op") == "error"] == [job_id, "x", job_id, "y"]
    assert names(heard)[-2:] == ["unsubscribed", "pong"]


async def test_a_job_is_cancelled_by_those_who_may(service: Edge, caller: Api, doors: Doors) -> None:
    """Who follows it hears its end; who may only read it is refused, and reads on."""
    job_id = (await caller.submit("written by hand", subject="one"))["id"]
    await take_in_hand(doors, job_id)
    ops = [{"op": "subscribe", "job": job_id}, {"op": "cancel", "job": job_id}]
    async with watcher(service, job_id) as page, dial(page, "/v1/ws") as socket:
        refused = await said_after(socket, "error", *ops)
    async with browser(service, "one") as page, dial(page, "/v1/ws") as socket:
        await said_after(socket, "snapshot", ops[0])
        heard = await said_after(socket, "cancelling", ops[1])
        heard += [] if "state" in names(heard) else await hear(socket, "state")

    assert problems(refused) == ["forbidden"]
    assert sorted(names(heard)) == ["cancelling", "state"]
    assert (await caller.poll(job_id))["state"] == "cancelling"


async def test_each_subscription_may_bring_a_token_of_its_own(service: Edge, caller: Api) -> None:
    """A connection without a credential opens; without a token, or with another job's, nothing is followed."""
    one, other = await submit(caller), await submit(caller)
    token_of = {job: KEYRING.stream_token(JobId(job), seconds=600).token for job in (one, other)}
    async with Api(service.url, None) as nobody, dial(nobody, "/v1/ws") as socket:
        refused = await said_after(
            socket,
            "pong",
            {"op": "subscribe", "job": one},
            {"op": "subscribe", "job": one, "token": token_of[other]},
            {"op": "subscribe", "job": one, "token": "wrong"},
            {"op": "cancel", "job": one},
            {"op": "ping"},
        )
        heard = await said_after(socket, "snapshot", {"op": "subscribe", "job": one, "token": token_of[one]})
        heard += await said_after(socket, "snapshot", {"op": "subscribe", "job": other, "token": token_of[other]})

    assert problems(refused) == ["unauthorized", "job-not-found", "unauthorized", "unauthorized"]
    assert [each["job"] for each in heard if each.get("event") == "snapshot"] == [one, other]


async def test_a_token_that_ends_ends_its_subscription_alone(service: Edge, caller: Api, doors: Doors) -> None:
    """`bye` names the job; with a fresh token it goes on from its last cursor, and the other never stopped."""
    one, other = await submit(caller), await submit(caller)
    short, long = (
        KEYRING.stream_token(JobId(one), seconds=6).token,
        KEYRING.stream_token(JobId(other), seconds=600).token,
    )
    async with Api(service.url, None) as nobody, dial(nobody, "/v1/ws") as socket:
        await said_after(socket, "snapshot", {"op": "subscribe", "job": other, "token": long})
        *_, bye = await said_after(socket, "bye", {"op": "subscribe", "job": one, "token": short})
        fresh = KEYRING.stream_token(JobId(one), seconds=600).token
        again = await said_after(socket, "snapshot", {"op": "subscribe", "job": one, "token": fresh})
        await doors.queue.cancel(JobId(other))
        end = (await hear(socket, "end"))[-1]

    assert bye == {"job": one, "event": "bye", "data": {"reason": "unauthorized"}}
    assert names(again) == ["subscribed", "snapshot"]
    assert (end["job"], end["event"]) == (other, "end")


async def test_a_socket_that_follows_nothing_is_pinged(store: ValkeyProcess, caller: Api) -> None:
    """Without an id and without a cursor."""
    async with other_edge(store, jobstream_ping_seconds=0.1) as api, dial(api, "/v1/ws") as socket:
        (ping,) = await hear(socket, "ping")

    assert ping["data"].keys() == {"cursor", "now"}
    assert ping == {"event": "ping", "data": {"cursor": None, "now": ping["data"]["now"]}}


@asynccontextmanager
async def other_edge(store: ValkeyProcess, **settings: Any) -> AsyncIterator[Api]:
    """Who asks a service with other settings."""
    async with edge(store.url, **settings) as service, Api(service.url, SECRET) as api:
        yield api
