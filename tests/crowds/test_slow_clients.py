"""Clients who take their time: each is let go when its own is over, and nobody waits for it meanwhile."""

import asyncio
from pathlib import Path

from tests.api import Api
from tests.crowds.guests import HEADERS, Guest, asking, guests
from tests.crowds.house import House, open_house
from tests.figures import Say
from tests.jobs.doors import Doors
from tests.jobs.patience import PATIENCE_SECONDS
from tests.system import SECRET
from tests.valkey import ValkeyProcess

LIMITS = {"jobstream_head_seconds": 2, "jobstream_body_seconds": 3}
TOO_SLOW = b"HTTP/1.1 408 Request Timeout"
ALIVE = asking("/healthz")
PART_OF_A_HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
OF_A_BODY = "Content-Type: application/json\r\nContent-Length: 9\r\n"
PART_OF_A_BODY = f"POST /v1/jobs HTTP/1.1\r\n{HEADERS}{OF_A_BODY}\r\n{{".encode()


async def begin_at_once(guest: Guest) -> bytes:
    """Send half a head; what is answered."""
    await guest.ask(PART_OF_A_HEAD)
    return await guest.hear(b"\r\n\r\n")


async def begin_later(guest: Guest) -> bytes:
    """Send half a head once an answer has come."""
    await guest.ask(ALIVE)
    await guest.hear(b"}")
    await guest.send(PART_OF_A_HEAD)
    return await guest.hear(b"\r\n\r\n")


async def stop_in_the_body(guest: Guest) -> bytes:
    await guest.ask(PART_OF_A_BODY)
    return await guest.hear(b"\r\n\r\n")


async def say_nothing(guest: Guest) -> bytes:
    await guest.connect()
    return await guest.hear(b"\r\n\r\n")


async def say_nothing_more(guest: Guest) -> bytes:
    """Ask once, and keep the connection."""
    await guest.ask(ALIVE)
    await guest.hear(b"}")
    return await guest.hear(b"\r\n\r\n")


async def drip(guest: Guest) -> bytes:
    """Send one byte of a head after another, for ever."""
    await guest.ask(PART_OF_A_HEAD)
    async with asyncio.TaskGroup() as tasks:
        dripping = tasks.create_task(_drip_for_ever(guest))
        heard = await guest.hear(b"\r\n\r\n")
        dripping.cancel()
    return heard


async def _drip_for_ever(guest: Guest) -> None:
    try:
        while True:
            await guest.send(b"x")
            await asyncio.sleep(0.1)
    except ConnectionError:
        pass


CROWD = [begin_at_once] * 50 + [begin_later] * 40 + [drip] * 10 + [stop_in_the_body] * 50
QUIET = [say_nothing] * 100 + [say_nothing_more] * 50


async def test_slow_and_silent_clients_are_let_go_while_others_are_served(
    tmp_path: Path, store: ValkeyProcess, doors: Doors, say: Say
) -> None:
    """Whoever has begun a request hears why; whoever has not is just gone."""
    job_id = await doors.submit()
    with open_house(tmp_path, store, **LIMITS) as house, guests(house.url, len(CROWD) + len(QUIET)) as slow:
        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
            going = [tasks.create_task(behave(guest)) for behave, guest in zip(CROWD + QUIET, slow, strict=True)]
            served = await polled_meanwhile(house, job_id, going)

    told = [task.result().partition(b"\r\n")[0] for task in going]
    say(f"{len(going)} slow clients were let go; {served} others were served meanwhile")
    assert told == [TOO_SLOW] * len(CROWD) + [b""] * len(QUIET)
    assert served


async def polled_meanwhile(house: House, job_id: str, going: list[asyncio.Task[bytes]]) -> int:
    """How often a good client was answered before all the others were gone."""
    served = 0
    async with Api(house.url, SECRET) as good:
        while not all(task.done() for task in going):
            await good.poll(job_id)
            served += 1
    return served
