"""`watch`: what is told of jobs while they run, whatever happens to the connections, and how it is left."""

import asyncio
import signal
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from jobs.connection import Client
from jobs.model import JsonObject, State
from jobs.updates import Cursor, fold
from tests.api import Api, comparable
from tests.cli.shell import PATIENCE_SECONDS, Shell, line_with, shown_until
from tests.cli.test_jobs import chat
from tests.client.proxy import Fate, open_proxy
from tests.jobs.doors import Doors
from tests.service.serving import Serving
from tests.transports.hand import FAILURE, Hand, take_in_hand

LEASE_SECONDS = 7200.0
"""Nobody renews what is written by hand."""

FIRST_ANSWERS = 900
"""Bytes after which a connection breaks; enough for some updates."""


@pytest.fixture
async def hand(caller: Api, redis: Client) -> Hand:
    """Who writes a job of the API without a worker."""
    job = await caller.submit("written by hand")
    return await take_in_hand(Doors(redis, LEASE_SECONDS), job["id"])


@pytest.fixture
def watcher(service: Serving, tmp_path: Path) -> Shell:
    """Who types at that API."""
    return Shell(service.url, tmp_path)


@pytest.fixture
async def ended(hand: Hand) -> str:
    """A job that was written to its end."""
    await hand.write(hand.begin("openai"))
    for count in range(40):
        await hand.write(hand.say("openai", f"word {count} "), hand.progress(percent=count * 2.5))
    await hand.write(hand.finish("openai", "completed"))
    await hand.write(hand.end(State.COMPLETED, result={}))
    return hand.claim.job_id


def folded(lines: list[JsonObject]) -> JsonObject:
    """The job that these lines tell of; the first is a snapshot, and none is missing."""
    held: JsonObject = {}
    for line in lines:
        if line["event"] == "snapshot":
            held = {name: value for name, value in line["data"].items() if name != "reason"}
        else:
            cursor = Cursor.parse(line["id"])
            assert cursor.seq == held["seq"] + 1
            held = fold(held, line["event"], line["data"], cursor)
    return held


def cut_often() -> Iterator[Fate]:
    """Most connections break, by a reset or as if all had been said."""
    whole = Fate(after=1 << 30, resets=False)
    cuts = chain.from_iterable(repeat([Fate(FIRST_ANSWERS, resets=True), Fate(2 * FIRST_ANSWERS, resets=False)], 4))
    return chain([whole], cuts, repeat(whole))


async def test_no_cut_loses_or_doubles_a_line(hand: Hand, service: Serving, tmp_path: Path, caller: Api) -> None:
    """The connection breaks again and again while the job is written; each time it is said, and made again."""
    async with open_proxy(service.url, fates=cut_often()) as proxy:
        shell = Shell(proxy.url, tmp_path)
        watching = asyncio.create_task(asyncio.to_thread(shell.run, "watch", hand.claim.job_id, "--json"))
        await hand.write(hand.begin("openai"), hand.say("openai", "x" * 3000))
        while sum(proxy.cuts.values()) < 8:
            await hand.write(hand.say("openai", "and then, " * 10))
            await asyncio.sleep(0.01)  # the pace of who writes, not a wait
        await hand.write(hand.finish("openai", "completed"))
        await hand.write(hand.end(State.COMPLETED, result={}))
        said = await watching

    polled = await caller.poll(hand.claim.job_id)
    assert said.code == 0
    assert comparable(folded(said.lines)) == comparable(polled)
    assert len({line["id"] for line in said.lines if line["event"] != "snapshot"}) == sum(
        line["event"] != "snapshot" for line in said.lines
    )
    assert "offline, trying again" in said.beside
    assert "online again" in said.beside


async def test_a_watch_goes_on_behind_a_cursor(ended: str, watcher: Shell) -> None:
    """What the two say together is what one says that is not interrupted."""
    everything = (await asyncio.to_thread(watcher.run, "show", ended, "--updates", "--json")).lines
    middle = everything[len(everything) // 2]["id"]

    rest = await asyncio.to_thread(watcher.run, "watch", ended, "--after", middle, "--json")
    nothing = await asyncio.to_thread(watcher.run, "watch", ended, "--after", everything[-1]["id"], "--json")
    gone = await asyncio.to_thread(watcher.run, "watch", ended, "--after", "1000000-1", "--json")

    assert rest.lines == everything[len(everything) // 2 + 1 :]
    assert (nothing.code, nothing.out) == (0, "")
    assert [(line["event"], line["data"]["reason"]) for line in gone.lines] == [("snapshot", "gap")]


async def test_a_cursor_that_is_none_or_of_several_jobs_is_refused(ended: str, watcher: Shell) -> None:
    malformed = await asyncio.to_thread(watcher.run, "watch", ended, "--after", "yesterday")
    several = await asyncio.to_thread(watcher.run, "watch", ended, "x" * 20, "--after", "1-1")

    assert (malformed.code, several.code) == (6, 2)


async def test_in_a_terminal_bars_and_texts_grow(hand: Hand, watcher: Shell) -> None:
    """What is drawn over is gone in the end, and the page of the job stays."""
    with watcher.looking("watch", hand.claim.job_id) as (process, screen):
        await hand.write(hand.begin("openai"), hand.say("openai", "Once upon a time"))
        await hand.write(hand.progress(percent=42.0, message="Reading", total=1000, processed=420, errors=3))
        growing = await asyncio.to_thread(
            shown_until, screen, "━", "42 %, Reading, 420 of 1,000 processed, 3 errors", "Once upon a time"
        )
        await hand.write(hand.finish("openai", "completed"))
        await hand.write(hand.end(State.COMPLETED, result={}))
        whole = await asyncio.to_thread(shown_until, screen, "completed", "cursor")
        code = await asyncio.to_thread(process.wait, PATIENCE_SECONDS)

    assert "\x1b[?25l" in growing
    assert "\x1b[?25h" in whole
    assert code == 0


async def test_in_a_terminal_one_sees_that_the_service_is_away(hand: Hand, service: Serving, tmp_path: Path) -> None:
    """Its stream breaks, and no connection is made any more."""
    whole, broken, none = Fate(1 << 30, resets=False), Fate(FIRST_ANSWERS, resets=True), Fate(0, resets=True)
    async with open_proxy(service.url, fates=chain([whole, broken], repeat(none))) as way:
        with Shell(way.url, tmp_path).looking("watch", hand.claim.job_id) as (process, screen):
            await asyncio.to_thread(shown_until, screen, hand.claim.job_id)
            await hand.write(hand.begin("openai"), hand.say("openai", "x" * FIRST_ANSWERS))
            shown = await asyncio.to_thread(shown_until, screen, "offline, trying again")
            process.send_signal(signal.SIGINT)
            code = await asyncio.to_thread(process.wait, PATIENCE_SECONDS)

    assert "Traceback" not in shown
    assert code == 128 + signal.SIGINT


async def test_in_a_pipe_each_change_is_a_line(hand: Hand, watcher: Shell) -> None:
    """Plain: nothing that draws over what was written."""
    watching = asyncio.create_task(asyncio.to_thread(watcher.run, "watch", hand.claim.job_id))
    await hand.write(hand.begin("openai"), hand.say("openai", "Once"))
    await hand.write(hand.progress(percent=42.0, message="Reading"))
    await hand.write(hand.finish("openai", "failed"))
    await hand.write(hand.end(State.FAILED, failure=FAILURE))
    said = await watching

    job_id = hand.claim.job_id
    assert said.code == 1
    assert f"{job_id} chat failed\n" in said.out
    assert FAILURE.title in said.out
    assert "\x1b" not in said.out


async def test_ctrl_c_leaves_the_job_running_and_says_how_to_come_back(hand: Hand, watcher: Shell) -> None:
    """What is heard before and after it is the whole story."""
    job_id = hand.claim.job_id
    with watcher.running("watch", job_id, "--json") as process:
        assert process.stdout
        assert process.stderr
        await asyncio.to_thread(line_with, "snapshot", process.stdout)
        process.send_signal(signal.SIGINT)
        beside = (await asyncio.to_thread(process.stderr.read)).decode()
        code = await asyncio.to_thread(process.wait, PATIENCE_SECONDS)
    await hand.write(hand.begin("openai"))
    await hand.write(hand.end(State.COMPLETED, result={}))
    way_back = beside[beside.index("jobstream watch") :].split()
    resumed = await asyncio.to_thread(watcher.run, *way_back[1:])

    assert code == 128 + signal.SIGINT
    assert way_back[:5] == ["jobstream", "watch", job_id, "--json", "--after"]
    assert [line["event"] for line in resumed.lines] == ["part", "end"]
    assert resumed.code == 0


def test_several_jobs_are_watched_at_once(shell: Shell) -> None:
    """The exit code is that of the first one that did not complete; one that is not there spoils no other."""
    done, failed = shell.submit(), chat(shell, "No", {"openai": "sandbox-400"})

    both = shell.run("watch", done, failed, "--json")
    none = shell.run("watch", "x" * 20, done)

    assert both.code == 1
    assert {line["job"] for line in both.lines} == {done, failed}
    assert none.code == 5
    assert f"{done} chat completed" in none.out
    assert "x" * 20 in none.beside


def test_a_watch_ends_when_its_time_is_over(shell: Shell) -> None:
    """The job goes on."""
    job_id = shell.submit("Later", "--delay", "3600")

    said = shell.run("watch", job_id, "--timeout", "0.2")

    assert said.code == 9
    assert shell.snapshot(job_id)["state"] == "scheduled"
    assert shell.run("cancel", job_id).code == 0


def test_no_colour_is_no_colour(shell: Shell) -> None:
    """With the option, as with NO_COLOR."""
    job_id = shell.submit()
    assert shell.run("watch", job_id).code == 0
    with shell.looking("show", job_id, "--no-color") as (process, screen):
        plain = shown_until(screen, "cursor")
        process.wait(PATIENCE_SECONDS)
    shell.variables["NO_COLOR"] = "1"
    with shell.looking("show", job_id) as (process, screen):
        plain += shown_until(screen, "cursor")
        process.wait(PATIENCE_SECONDS)

    assert "\x1b[3" not in plain
