"""The transports that every test of the contract runs over: add one here, and it is tested."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from jobs.model import JsonObject
from tests.api import Api
from tests.transports.reference import held_after, told

TERMINAL = ("completed", "failed", "cancelled")


class Follow(Protocol):
    """How a client follows a job over one transport."""

    def __call__(self, api: Api, job_id: str, held: JsonObject | None) -> AsyncGenerator[JsonObject, None]:
        """What the client holds, each time it learns of something, until the end of the run; `held` is what it
        held when it left, None for one that is new."""


@dataclass(frozen=True)
class Transport:
    """A way to follow a job; `every_update` where its client sees each update by itself."""

    name: str
    follow: Follow
    every_update: bool


async def _polling(api: Api, job_id: str, held: JsonObject | None) -> AsyncGenerator[JsonObject, None]:
    while held is None or held["state"] not in TERMINAL:
        headers = {"If-None-Match": f'W/"{held["cursor"]}"', "Prefer": "wait=1"} if held else {}
        response = await api.http.get(f"/v1/jobs/{job_id}", headers=headers)
        if response.status_code != 304:
            assert response.status_code == 200, response.text
            held = told(response.json())
            assert response.headers["etag"] == f'W/"{held["cursor"]}"'
            yield held


async def _sse(api: Api, job_id: str, held: JsonObject | None) -> AsyncGenerator[JsonObject, None]:
    after = held["cursor"] if held else None
    async with aclosing(api.listen(job_id, after=after)) as events:
        async for event in events:
            if event.id is not None:
                held = held_after(held or {}, event.id, event.event, event.data)
                yield held


POLLING = Transport("polling", _polling, every_update=False)
SSE = Transport("sse", _sse, every_update=True)

TRANSPORTS = (POLLING, SSE)
