"""Pages in Chromium, of this origin and of another: what their browser lets them do, and how it listens."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from jobs.connection import Client
from jobs.kinds.chat import CHAT
from jobs.model import State
from tests.api import Api
from tests.jobs.doors import Doors
from tests.jobs.patience import until
from tests.service.edge import KEYRING, Edge, edge
from tests.service.test_process import running_api
from tests.system import SECRET, System
from tests.transports.hand import Hand, take_in_hand
from tests.valkey import ValkeyProcess
from tests.web.visit import running_browser

PATIENCE_MILLISECONDS = 60_000
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<!doctype html>"

LISTEN = """([url]) => {
  window.heard = [];
  window.source = new EventSource(url);
  for (const name of ['snapshot', 'end']) source.addEventListener(name, event => heard.push(event));
}"""
HEARD = "() => heard.map(event => [event.type, JSON.parse(event.data).job ?? null])"
LAST_ID = "() => heard.at(-1).lastEventId"
CLOSED = "() => source.readyState === EventSource.CLOSED"

FETCH = """async ([url, token]) => {
  const headers = {'Content-Type': 'application/json', 'Idempotency-Key': 'k', Authorization: `Bearer ${token}`};
  const body = JSON.stringify({kind: 'chat', input: {message: 'x'}});
  const answer = await fetch(url, {method: 'POST', headers, body});
  return [answer.status, answer.headers.get('Location')];
}"""

FOLLOW = """([url]) => {
  window.texts = {};
  window.ended = new Set();
  window.opened = 0;
  window.wrong = [];
  window.source = new EventSource(url);
  const hear = (name, take) => source.addEventListener(name, event => {
    const told = JSON.parse(event.data);
    take(told, told.job ?? '');
  });
  source.onopen = () => { opened += 1 };
  hear('snapshot', (told, job) => { texts[job] = told.parts.openai?.text ?? '' });
  hear('part', (told, job) => { texts[job] = told.text ?? texts[job] });
  hear('delta', (told, job) => {
    if (told.at !== texts[job].length) wrong.push([job, told.at, texts[job].length]);
    texts[job] += told.text;
  });
  hear('end', (told, job) => { ended.add(job) });
}"""
SEEN = "() => ({texts, wrong, opened})"

RENEW = """async ([url, token]) => {
  const answer = await fetch(url, {method: 'POST', headers: {Authorization: `Bearer ${token}`}});
  return [answer.status, (await answer.json()).token];
}"""

SUBMIT = """async () => {
  const body = JSON.stringify({kind: 'chat', input: {message: 'x'}});
  const headers = {'Content-Type': 'application/json'};
  return (await (await fetch('/v1/jobs', {method: 'POST', headers, body})).json()).id;
}"""

OPEN_SOCKET = """([url]) => new Promise(resolve => {
  const socket = new WebSocket(url, 'jobs.v1');
  socket.onopen = () => resolve('open');
  socket.onerror = () => resolve('refused');
})"""


@pytest.fixture
async def page(chromium: Path) -> AsyncIterator[Page]:
    """A page of an origin that is not the API's."""
    async with another_origin() as origin, running_browser(chromium) as browser:
        page = await browser.new_page()
        await page.goto(origin)
        yield page


@pytest.fixture
async def friend(store: ValkeyProcess, redis: Client, page: Page) -> AsyncIterator[Edge]:
    """An API that lets the page in."""
    async with edge(store.url, jobstream_origins=page.url.rstrip("/")) as service:
        yield service


@pytest.fixture
async def stranger(store: ValkeyProcess, redis: Client) -> AsyncIterator[Edge]:
    """An API that lets other pages in, and not this one."""
    async with edge(store.url, jobstream_origins="http://localhost:1") as service:
        yield service


async def submitted(service: Edge, count: int = 1) -> list[str]:
    async with Api(service.url, SECRET) as server:
        return [(await server.submit("x", subject="one"))["id"] for _ in range(count)]


def token() -> str:
    return KEYRING.browser_token("one", frozenset({"read", "submit:chat"}), seconds=600).token


async def until_heard(page: Page, count: int) -> list[Any]:
    async def enough() -> bool:
        return len(await page.evaluate(HEARD)) >= count

    await until(enough)
    return list(await page.evaluate(HEARD))


async def test_a_friends_page_listens(page: Page, friend: Edge) -> None:
    """By an EventSource, which can send no header but its place."""
    (job,) = await submitted(friend)

    await page.evaluate(LISTEN, [f"{friend.url}/v1/jobs/{job}/stream?token={token()}"])

    assert await until_heard(page, 1) == [["snapshot", None]]


async def test_a_friends_page_comes_back_to_32_jobs(page: Page, friend: Edge) -> None:
    """With so long a Last-Event-ID that some browsers would ask first; a refusal would end it for good."""
    jobs = await submitted(friend, 32)
    names = "&".join(f"job={job}" for job in jobs)
    await page.evaluate(LISTEN, [f"{friend.url}/v1/stream?{names}&token={token()}"])
    await until_heard(page, 32)
    place = await page.evaluate(LAST_ID)

    friend.cut()
    async with Api(friend.url, SECRET) as server:
        await server.http.post(f"/v1/jobs/{jobs[7]}/cancel")

    heard = await until_heard(page, 33)
    assert len(place) > 128
    assert heard[32:] == [["end", jobs[7]]]  # and none of the snapshots again


async def test_a_friends_page_submits_and_reads_the_headers(page: Page, friend: Edge) -> None:
    """With headers that need a preflight."""
    status, location = await page.evaluate(FETCH, [f"{friend.url}/v1/jobs", token()])

    assert status == 202
    assert re.fullmatch(r"/v1/jobs/[A-Za-z0-9_-]{16,64}", location)


async def test_a_friends_page_opens_a_socket(page: Page, friend: Edge) -> None:
    assert await page.evaluate(OPEN_SOCKET, [f"{friend.url.replace('http', 'ws')}/v1/ws?token={token()}"]) == "open"


async def test_a_strangers_page_can_do_none_of_it(page: Page, stranger: Edge) -> None:
    """Though it has a good token: it hears nothing, its job is none, and no socket opens."""
    (job,) = await submitted(stranger)

    await page.evaluate(LISTEN, [f"{stranger.url}/v1/jobs/{job}/stream?token={token()}"])
    await page.wait_for_function(CLOSED)
    failed = await page.evaluate(
        f"async given => {{ try {{ return await ({FETCH})(given) }} catch {{ return 'failed' }} }}",
        [f"{stranger.url}/v1/jobs", token()],
    )
    socket = await page.evaluate(OPEN_SOCKET, [f"{stranger.url.replace('http', 'ws')}/v1/ws?token={token()}"])

    assert await page.evaluate(HEARD) == []
    assert (failed, socket) == ("failed", "refused")
    async with Api(stranger.url, SECRET) as server:
        assert [each["id"] for each in (await server.http.get("/v1/jobs")).json()["items"]] == [job]


async def test_a_visitor_listens_by_cookie_through_a_restart(
    chromium: Path, tmp_path: Path, store: ValkeyProcess, doors: Doors
) -> None:
    """The browser comes back by itself, to its place; what was written meanwhile is not missing, and the end is the
    end."""
    with running_api(tmp_path / "api", store) as system:
        async with running_browser(chromium) as browser:
            page = await browser.new_page()
            await page.goto(system.url.replace("127.0.0.1", "localhost"))
            job = await page.evaluate(SUBMIT)
            await page.evaluate(FOLLOW, [f"/v1/jobs/{job}/stream"])
            hand = await take_in_hand(doors, job)

            await write_through_a_restart(page, system, [hand])

            seen, polled = await page.evaluate(SEEN), await text_of(system, job)
            await page.wait_for_function(CLOSED)
    assert (seen["texts"], seen["wrong"]) == ({"": polled}, [])
    assert polled == "before, meanwhile, after"
    assert seen["opened"] > 1


async def test_a_friends_page_follows_32_jobs_by_token_through_a_restart(
    page: Page, tmp_path: Path, store: ValkeyProcess, doors: Doors
) -> None:
    """On one stream of another origin, by tokens that the page renews itself, each with a preflight."""
    with running_api(tmp_path / "api", store, JOBSTREAM_ORIGINS=page.url.rstrip("/")) as system:
        async with Api(system.url, SECRET) as server:
            given = [await server.submit("x") for _ in range(32)]
        claims = [claim for job in given for claim in await doors.claim(f"hand-of-{job['id']}", kinds=[CHAT])]
        renewed = [
            await page.evaluate(RENEW, [f"{system.url}/v1/jobs/{job['id']}/token", job["stream_token"]])
            for job in given
        ]
        names = "&".join(f"job={job['id']}&token={token}" for job, (_, token) in zip(given, renewed, strict=True))
        await page.evaluate(FOLLOW, [f"{system.url}/v1/stream?{names}"])

        await write_through_a_restart(page, system, [Hand(doors, claim) for claim in claims])

        seen = await page.evaluate(SEEN)
        polled = {job["id"]: await text_of(system, job["id"]) for job in given}
        await page.wait_for_function(CLOSED)
    assert {status for status, _ in renewed} == {201}
    assert (seen["texts"], seen["wrong"]) == (polled, [])
    assert set(polled.values()) == {"before, meanwhile, after"}
    assert seen["opened"] > 1


async def write_through_a_restart(page: Page, system: System, hands: list[Hand]) -> None:
    """Write each job's text while the API is killed and started again where it was; all have ended, for the page."""
    for hand in hands:
        await hand.write(hand.begin("openai"), hand.say("openai", "before, "))
    await page.wait_for_function(f"() => Object.values(texts).filter(text => text).length === {len(hands)}")
    system.api.kill()
    for hand in hands:
        await hand.write(hand.say("openai", "meanwhile, "))
    system.api.start()
    for hand in hands:
        await hand.write(hand.say("openai", "after"))
        await hand.write(hand.finish("openai", "completed"), hand.end(State.COMPLETED))
    await page.wait_for_function(f"() => ended.size === {len(hands)}", timeout=PATIENCE_MILLISECONDS)


async def text_of(system: System, job: str) -> str:
    """What polling says was written."""
    async with Api(system.url, SECRET) as server:
        return str((await server.poll(job))["parts"]["openai"]["text"])


@asynccontextmanager
async def another_origin() -> AsyncIterator[str]:
    """Where an empty page is served, under another name and port than the API."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(PAGE)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://localhost:{server.sockets[0].getsockname()[1]}"
