"""The transports that every test of the contract runs over: add one here, and it is tested."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from jobs.model import JobId, JsonObject
from jobs.updates import Cursor
from service.compound import Word
from tests.api import Api, Event, parsed
from tests.service.edge import PORTABLE_HOST
from tests.transports.reference import held_after, held_after_of_many, told
from tests.transports.sockets import dial, messages, say

TERMINAL = ("completed", "failed", "cancelled")
PAGE_ITEMS = 5
"""Few, so that a client of the log has to turn pages."""


class Follow(Protocol):
    """How a client follows a job over one transport."""

    def __call__(self, api: Api, job_id: str, held: JsonObject | None) -> AsyncGenerator[JsonObject, None]:
        """What the client holds, each time it learns of something, until the end of the run; `held` is what it
        held when it left, None for one that is new."""


class Listen(Protocol):
    """How a client listens to a job over one stream."""

    def __call__(self, api: Api, job_id: str, after: str | None) -> AsyncGenerator[Event, None]:
        """All that the server says after the place, whatever it is, until it ends the stream."""


class Place(Protocol):
    """How a stream names a place in the job's log."""

    def __call__(self, job_id: str, cursor: str) -> str:
        """The cursor that the stream gives out there."""


@dataclass(frozen=True, kw_only=True)
class Transport:
    """A way to follow a job; `every_update` where its client sees each update by itself, `own_cursor` where what it
    holds names the place by the job's own cursor."""

    name: str
    follow: Follow
    every_update: bool = True
    own_cursor: bool = True

    def seen(self, view: JsonObject) -> JsonObject:
        """What is the same over every transport."""
        return view if self.own_cursor else {name: view[name] for name in view if name != "cursor"}


@dataclass(frozen=True, kw_only=True)
class Stream(Transport):
    """A transport on which the server speaks by itself."""

    listen: Listen
    place: Place = lambda _, cursor: cursor


async def _polling(api: Api, job_id: str, held: JsonObject | None) -> AsyncGenerator[JsonObject, None]:
    while held is None or held["state"] not in TERMINAL:
        headers = {"If-None-Match": f'W/"{held["cursor"]}"', "Prefer": "wait=1"} if held else {}
        response = await api.http.get(f"/v1/jobs/{job_id}", headers=headers)
        if response.status_code != 304:
            assert response.status_code == 200, response.text
            held = told(response.json())
            assert response.headers["etag"] == f'W/"{held["cursor"]}"'
            yield held


async def _updates(api: Api, job_id: str, held: JsonObject | None) -> AsyncGenerator[JsonObject, None]:
    """The log, page by page; a snapshot where it cannot go on from what the client holds."""
    while True:
        if held is None:
            held = told(await api.poll(job_id))
            yield held
        page = await page_of(api, job_id, held["cursor"])
        if page["reset"]:
            held = None
            continue
        for item in page["items"]:
            held = held_after(held, item["id"], item["event"], item["data"])
            yield held
        assert page["cursor"] == held["cursor"]
        if page["closed"]:
            return


async def page_of(api: Api, job_id: str, after: str) -> JsonObject:
    """The next page of the log, waited for if there is none yet."""
    response = await api.http.get(
        f"/v1/jobs/{job_id}/updates", params={"after": after, "limit": PAGE_ITEMS}, headers={"Prefer": "wait=1"}
    )
    assert response.status_code == 200, response.text
    page: JsonObject = response.json()
    return page


async def _sse(api: Api, job_id: str, after: str | None) -> AsyncGenerator[Event, None]:
    async with aclosing(api.listen(job_id, after=after)) as events:
        async for event in events:
            yield event


async def _multiplexed_elsewhere(api: Api, job_id: str, after: str | None) -> AsyncGenerator[Event, None]:
    async with aclosing(_multiplexed(api, job_id, after, server=elsewhere(api))) as events:
        async for event in events:
            yield event


async def _multiplexed(api: Api, job_id: str, after: str | None, *, server: str = "") -> AsyncGenerator[Event, None]:
    """What a stream over many says of its only job, without what it adds to tell it from others."""
    async with aclosing(listen_to_many(api, [job_id], after, server=server)) as events:
        async for event in events:
            assert event.data.get("job", job_id) == job_id
            added = ("job",) if event.event == "snapshot" else ("job", "seq")
            data = {name: event.data[name] for name in event.data if name not in added}
            yield Event(event.id, event.event, data, event.retry)


async def _portable(api: Api, job_id: str, after: str | None) -> AsyncGenerator[Event, None]:
    """The same over a server that does not hand its connections over."""
    async with aclosing(api.listen(job_id, after=after, server=elsewhere(api))) as events:
        async for event in events:
            yield event


def elsewhere(api: Api) -> str:
    """Where the API answers that sends its streams the portable way."""
    return str(api.http.base_url.copy_with(host=PORTABLE_HOST)).rstrip("/")


async def listen_to_many(
    api: Api, jobs: Sequence[str], after: str | None, *, server: str = ""
) -> AsyncGenerator[Event, None]:
    """All that one stream over the jobs says."""
    headers = {"Last-Event-ID": after} if after else {}
    path, params = f"{server}/v1/stream", {"job": list(jobs)}
    async with api.http.stream("GET", path, params=params, headers=headers) as response:
        assert response.status_code in (200, 204), response.status_code
        async with aclosing(response.aiter_bytes()) as chunks:
            async for event in parsed(chunks):
                yield event


async def _socket(api: Api, job_id: str, after: str | None) -> AsyncGenerator[Event, None]:
    async with dial(api, f"/v1/jobs/{job_id}/ws" + (f"?after={after}" if after else "")) as socket:
        async for message in messages(socket):
            yield _event(message, job_id)


async def _subscription(api: Api, job_id: str, after: str | None) -> AsyncGenerator[Event, None]:
    async with dial(api, "/v1/ws") as socket:
        for _ in range(2):  # the answer to the second tells whether the first one goes on
            await say(socket, op="subscribe", job=job_id, after=after)
        answers = []
        async for message in messages(socket):
            if "op" in message:
                answers.append(message["op"])
                if answers == ["subscribed", "subscribed"]:
                    return  # the end was heard before: there is nothing to say
                continue
            yield _event(message, job_id)
            if message["event"] in ("end", "problem"):
                return


def _event(message: JsonObject, job_id: str) -> Event:
    assert message.keys() <= {"id", "job", "event", "data"}, message
    assert message.get("job", job_id) == job_id
    return Event(message.get("id"), message["event"], message["data"])


def _folding(listen: Listen) -> Follow:
    async def follow(api: Api, job_id: str, held: JsonObject | None) -> AsyncGenerator[JsonObject, None]:
        async with aclosing(listen(api, job_id, held["cursor"] if held else None)) as events:
            async for event in events:
                if event.id is not None:
                    held = held_after(held or {}, event.id, event.event, event.data)
                    yield held

    return follow


async def _folding_one_of_many_elsewhere(
    api: Api, job_id: str, held: JsonObject | None
) -> AsyncGenerator[JsonObject, None]:
    async with aclosing(_folding_one_of_many(api, job_id, held, server=elsewhere(api))) as views:
        async for view in views:
            yield view


async def _folding_one_of_many(
    api: Api, job_id: str, held: JsonObject | None, *, server: str = ""
) -> AsyncGenerator[JsonObject, None]:
    place = None
    if held is not None:  # what another transport's client held is as good a place to come from
        place = held["cursor"] if held["cursor"].startswith("m.") else _word(job_id, held["cursor"])
    async with aclosing(listen_to_many(api, [job_id], place, server=server)) as events:
        async for event in events:
            if event.id is not None:
                held = held_after_of_many(held or {}, event.id, event.event, event.data)
                yield held


def _word(job_id: str, cursor: str) -> str:
    return str(Word({JobId(job_id): Cursor.parse(cursor)}))


POLLING = Transport(name="polling", follow=_polling, every_update=False)
UPDATES = Transport(name="updates", follow=_updates)
SSE = Stream(name="sse", follow=_folding(_sse), listen=_sse)
PORTABLE = Stream(name="portable sse", follow=_folding(_portable), listen=_portable)
MULTIPLEXED = Stream(
    name="multiplexed", follow=_folding_one_of_many, listen=_multiplexed, place=_word, own_cursor=False
)
PORTABLE_MULTIPLEXED = Stream(
    name="portable multiplexed",
    follow=_folding_one_of_many_elsewhere,
    listen=_multiplexed_elsewhere,
    place=_word,
    own_cursor=False,
)
SOCKET = Stream(name="socket", follow=_folding(_socket), listen=_socket)
SUBSCRIPTION = Stream(name="subscription", follow=_folding(_subscription), listen=_subscription)

STREAMS = (SSE, PORTABLE, MULTIPLEXED, PORTABLE_MULTIPLEXED, SOCKET, SUBSCRIPTION)
TRANSPORTS = (POLLING, UPDATES, *STREAMS)
