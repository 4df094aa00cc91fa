"""The service as a client sees it, for tests: submit, poll, listen; the frames are parsed and folded here anew."""

import hashlib
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx2

from jobs.model import JsonObject
from jobs.updates import Cursor, fold, utf16_length

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Event:
    """One server-sent event as it came; `retry` is what the stream said last of when to come back, in ms."""

    id: str | None
    event: str
    data: JsonObject
    retry: int | None = None


class Api:
    """One caller of the service; its credential goes with every request."""

    def __init__(self, url: str, credential: str | None, *, trusts: ssl.SSLContext | None = None) -> None:
        headers = {"Authorization": f"Bearer {credential}"} if credential else {}
        self.http = httpx2.AsyncClient(
            base_url=url, headers=headers, timeout=PATIENCE_SECONDS, trust_env=False, verify=trusts or True
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def submit(self, message: str, **more: Any) -> JsonObject:
        """A chat, submitted; the snapshot that came back."""
        body = {"kind": "chat", "input": {"message": message, **more.pop("input", {})}, **more}
        response = await self.http.post("/v1/jobs", json=body)
        assert response.status_code in (200, 202), response.text
        job: JsonObject = response.json()
        return job

    async def poll(self, job_id: str) -> JsonObject:
        """The job's snapshot now."""
        response = await self.http.get(f"/v1/jobs/{job_id}")
        assert response.status_code == 200, response.text
        snapshot: JsonObject = response.json()
        return snapshot

    async def ended(self, job_id: str) -> JsonObject:
        """The job's snapshot once its run has ended."""
        async for _ in self.listen(job_id):
            pass
        return await self.poll(job_id)

    async def listen(
        self, job_id: str, *, after: str | None = None, take: int | None = None, server: str = ""
    ) -> AsyncGenerator[Event, None]:
        """The stream's events, all or the first `take` that have an id; from another server of the same API, if one
        is named."""
        headers = {"Last-Event-ID": after} if after else {}
        async with self.http.stream("GET", f"{server}/v1/jobs/{job_id}/stream", headers=headers) as response:
            assert response.status_code in (200, 204), response.status_code
            async with aclosing(response.aiter_bytes()) as chunks:
                async for event in parsed(chunks):
                    yield event
                    if event.id is not None and take is not None:
                        take -= 1
                        if take == 0:
                            return


async def parsed(chunks: AsyncIterator[bytes]) -> AsyncIterator[Event]:
    """Server-sent events out of bytes, split wherever they like."""
    waiting, retry = b"", None
    async for chunk in chunks:
        waiting += chunk
        while b"\n\n" in waiting:
            block, _, waiting = waiting.partition(b"\n\n")
            fields = _fields(block.decode())
            retry = int(fields["retry"]) if "retry" in fields else retry
            if "data" in fields:
                yield Event(fields.get("id"), fields["event"], json.loads(fields["data"]), retry)


def _fields(block: str) -> dict[str, str]:
    lines = (line.partition(":") for line in block.split("\n"))
    return {name: value.removeprefix(" ") for name, _, value in lines}


@dataclass
class Follower:
    """A client that folds what it hears, and keeps account of what it was given."""

    snapshot: JsonObject = field(default_factory=dict)
    cursor: str | None = None
    seqs: list[int] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Fold one event; a delta that does not fit the text so far is an error."""
        if event.id is None:
            return
        if event.event == "snapshot":
            self.reasons.append(event.data["reason"])
            self.snapshot = {name: value for name, value in event.data.items() if name != "reason"}
        else:
            if event.event == "delta":
                assert event.data["at"] == utf16_length(self.snapshot["parts"][event.data["part"]]["text"])
            self.snapshot = fold(self.snapshot, event.event, event.data, Cursor.parse(event.id))
        self.cursor = event.id
        self.seqs.append(Cursor.parse(event.id).seq)

    @property
    def ended(self) -> bool:
        return bool(self.snapshot) and self.snapshot["state"] in ("completed", "failed", "cancelled")

    @property
    def texts(self) -> dict[str, str]:
        """SHA-256 of each part's text."""
        return {name: digest(part["text"]) for name, part in self.snapshot["parts"].items()}


async def follow(api: Api, job_id: str, *, cut_every: int | None = None) -> Follower:
    """The job followed to its end, its stream cut and resumed after every `cut_every` updates."""
    follower = Follower()
    while not follower.ended:
        async with aclosing(api.listen(job_id, after=follower.cursor, take=cut_every)) as events:
            async for event in events:
                follower.take(event)
    return follower


def comparable(snapshot: JsonObject) -> JsonObject:
    """What must be the same for every way of reading a job."""
    return {name: value for name, value in snapshot.items() if name not in ("elapsed", "links", "stream_token")}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
