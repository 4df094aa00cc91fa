"""A process that may open no more files: streams go on, newcomers are turned away, and it recovers by itself."""

import asyncio
import resource
import time
from pathlib import Path
from types import SimpleNamespace

from fastapi import FastAPI

from jobs.connection import Client
from service.server import server_config
from service.settings import Settings
from service.witness import Unwatched
from tests.crowds.guests import Guest, asking, guests, listening
from tests.crowds.house import House, open_house
from tests.crowds.talk import Talk, begin_talk
from tests.figures import Say
from tests.jobs.doors import Doors
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.valkey import ValkeyProcess

FILES = 64
FEW = 512
TOO_MANY = 40
SPARE = 3
WINDOW_SECONDS = 1.0
ALIVE = asking("/healthz")


async def answer(guest: Guest, request: bytes = ALIVE) -> bytes:
    """The first line of what the guest is answered; nothing where it is turned away without a word."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        try:
            await guest.ask(request)
        except ConnectionError:
            return b""
        return (await guest.hear(b"\r\n\r\n")).partition(b"\r\n")[0]


async def hears(guest: Guest, talk: Talk) -> bool:
    """Whether one who listens is told what is said now."""
    word = f"said at {talk.said}"
    await talk.say(word)
    async with asyncio.timeout(PATIENCE_SECONDS):
        return word.encode() in await guest.hear(word.encode())


async def share_of_a_processor(house: House) -> float:
    """How busy the process is while nobody asks it for anything."""
    before = house.processor_seconds
    await asyncio.sleep(WINDOW_SECONDS)  # nothing is waited for: this is what is measured
    return (house.processor_seconds - before) / WINDOW_SECONDS


async def test_a_process_with_few_files_says_so_to_whoever_is_too_many(
    tmp_path: Path, store: ValkeyProcess, doors: Doors, say: Say
) -> None:
    """503 with a reason, while those who are in go on; there is room again when somebody leaves."""
    talk = await begin_talk(doors)
    stream = listening(f"/v1/jobs/{talk.job_id}/stream")
    with open_house(tmp_path, store, files=FILES) as house, guests(house.url, 1) as (witness,):
        assert await answer(witness, stream) == b"HTTP/1.1 200 OK"
        with guests(house.url, TOO_MANY) as crowd:
            lines = [await answer(guest, stream) for guest in crowd]
            heard = await hears(witness, talk)
            busy = await share_of_a_processor(house)

        async def there_is_room() -> bool:
            with guests(house.url, 1) as (newcomer,):
                return await answer(newcomer, stream) == b"HTTP/1.1 200 OK"

        await until(there_is_room)

    taken = lines.count(b"HTTP/1.1 200 OK")
    say(f"{FILES} files: {taken + 1} of {TOO_MANY + 1} streams, {busy:.0%} of a processor when full")
    assert heard
    assert lines == [b"HTTP/1.1 200 OK"] * taken + [b"HTTP/1.1 503 Service Unavailable"] * (TOO_MANY - taken)
    assert 0 < taken < TOO_MANY


async def test_a_process_uses_all_the_files_it_may(tmp_path: Path, store: ValkeyProcess, redis: Client) -> None:
    """Though it is started with few; a server that another program configures leaves that one's limits alone."""
    few, all_of_them = resource.getrlimit(resource.RLIMIT_NOFILE)
    app = FastAPI()
    app.state.api = SimpleNamespace(witness=Unwatched())
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, all_of_them))
    try:
        with open_house(tmp_path, store) as house:
            allowed = resource.prlimit(house.process.pid, resource.RLIMIT_NOFILE)
        server_config(app, Settings(_env_file=None))
        ours, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (few, all_of_them))

    assert allowed == (all_of_them, all_of_them)
    assert ours == FEW


async def test_a_process_that_runs_out_of_files_recovers_by_itself(
    tmp_path: Path, store: ValkeyProcess, doors: Doors, say: Say
) -> None:
    """Its limit is lowered under it, so that it cannot know: newcomers wait or are refused, and streams go on."""
    talk = await begin_talk(doors)
    with open_house(tmp_path, store) as house, guests(house.url, 1) as (witness,):
        assert await answer(witness, listening(f"/v1/jobs/{talk.job_id}/stream")) == b"HTTP/1.1 200 OK"
        house.allow_files(house.files + SPARE)
        with guests(house.url, TOO_MANY) as crowd:
            arriving = [asyncio.create_task(answer(guest)) for guest in crowd]
            heard = [await hears(witness, talk) for _ in range(3)]
            busy = await share_of_a_processor(house)
            house.allow_files(house.files + 10 * TOO_MANY)
            began = time.monotonic()
            lines = await asyncio.gather(*arriving)
            took = time.monotonic() - began
        with guests(house.url, TOO_MANY) as newcomers:
            served = [await answer(guest) for guest in newcomers]
            heard.append(await hears(witness, talk))

    say(f"out of files: {busy:.0%} of a processor, {lines.count(b'')} turned away, all well after {took:.1f} s")
    assert heard == [True] * 4
    assert set(lines) <= {b"HTTP/1.1 200 OK", b""}
    assert served == [b"HTTP/1.1 200 OK"] * TOO_MANY
