"""A job followed over server-sent events to the end of its run, whatever happens to the connections in between."""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass

import httpx2

from jobstream.api import is_transient, refusal
from jobstream.errors import RequestRefused, Unreachable, UpdateMissed
from jobstream.fold import JsonObject, fold
from jobstream.job import Job
from jobstream.sse import Event, EventParser

PATIENCE_SECONDS = 60.0
SILENCE_SECONDS = 45.0  # the service says something every 15 s
CONNECT_SECONDS = 10.0
RETRY_MS = 1000
LONGEST_RETRY_SECONDS = 10.0


@dataclass(frozen=True)
class Update:
    """One update as it was heard; `snapshot` is the whole job after it."""

    event: str
    data: JsonObject
    snapshot: JsonObject

    @property
    def job(self) -> Job:
        """The job after it, typed."""
        return Job.model_validate(self.snapshot)


async def follow(
    http: httpx2.AsyncClient, job_id: str, *, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncGenerator[Update, None]:
    """The job's updates in order, each once, until its run has ended; a stream that is cut goes on where it was.

    RequestRefused if the service won't tell; Unreachable if it can't be heard for `patience_seconds`."""
    listener = _Listener(http, job_id, patience_seconds)
    while not listener.ended:
        try:
            async with aclosing(listener.listen()) as updates:
                async for update in updates:
                    yield update
        except (httpx2.TransportError, _Cut, UpdateMissed) as error:
            await listener.wait_for_next_try(error)


class _Cut(Exception):
    """The stream stopped before the job did; the next one goes on."""


class _Listener:
    """Where one reader of one job stands."""

    def __init__(self, http: httpx2.AsyncClient, job_id: str, patience_seconds: float) -> None:
        self.ended = False
        self._http = http
        self._job_id = job_id
        self._patience_seconds = patience_seconds
        self._snapshot: JsonObject = {}
        self._cursor: str | None = None
        self._parser = EventParser(retry_ms=RETRY_MS)
        self._heard_at = time.monotonic()
        self._failures = 0

    async def listen(self) -> AsyncGenerator[Update, None]:
        """What one connection brings, from where the one before it broke off."""
        async with self._connection() as response:
            if response.status_code == 204:
                self.ended = True
                return
            await _check(response)
            async with aclosing(response.aiter_bytes()) as chunks:
                async for chunk in chunks:
                    for event in self._parser.feed(chunk):
                        if update := self._take(event):
                            yield update
                        if self.ended:
                            return
        raise _Cut("The stream ended before the job did.")

    async def wait_for_next_try(self, error: Exception) -> None:
        """Return when the service may be asked again; Unreachable if it has been silent for too long."""
        if time.monotonic() - self._heard_at > self._patience_seconds:
            raise Unreachable(f"The service cannot be heard: {error or type(error).__name__}") from error
        if isinstance(error, UpdateMissed):
            self._cursor = None  # the next stream begins with a snapshot
        seconds = min(self._parser.retry_ms / 1000 * 2**self._failures, LONGEST_RETRY_SECONDS)
        self._failures += 1
        await asyncio.sleep(random.uniform(0.5, 1.0) * seconds)  # noqa: S311  # spreads load, guards nothing

    def _connection(self) -> AbstractAsyncContextManager[httpx2.Response]:
        self._parser = EventParser(retry_ms=self._parser.retry_ms)
        place = {"Last-Event-ID": self._cursor} if self._cursor else {}
        return self._http.stream(
            "GET",
            f"/v1/jobs/{self._job_id}/stream",
            headers={"Accept": "text/event-stream", **place},
            timeout=httpx2.Timeout(CONNECT_SECONDS, read=SILENCE_SECONDS),
        )

    def _take(self, event: Event) -> Update | None:
        data = json.loads(event.data)
        match event.name:
            case "problem" if is_transient(data["status"]):
                raise _Cut(data["detail"])
            case "problem":
                raise RequestRefused(f"{data['title']}: {data['detail']}")
            case "ping" if data["cursor"] != self._cursor:
                raise UpdateMissed("The job is further than what was heard of it.")
        self._heard_at = time.monotonic()
        self._failures = 0
        if event.id is None:
            return None
        self._snapshot = fold(self._snapshot, event.name, data, event.id)
        self._cursor = event.id
        self.ended = event.name == "end"
        return Update(event.name, data, self._snapshot)


async def _check(response: httpx2.Response) -> None:
    if response.status_code == 200:
        return
    await response.aread()
    if is_transient(response.status_code):
        raise _Cut(f"The service answers {response.status_code}.")
    raise refusal(response)
