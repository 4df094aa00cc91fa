"""Server-sent events, parsed by hand."""

from contextlib import aclosing

import httpx2

from tests.api import Event, parsed
from tests.cuts.reader import AWAY, Reader


class Sse(Reader):
    """One job."""

    async def read_on(self, http: httpx2.AsyncClient) -> None:
        await self._listen(http, f"/v1/jobs/{self.only.job_id}/stream", self.only.cursor)

    async def _listen(self, http: httpx2.AsyncClient, path: str, place: str | None) -> None:
        headers = {"Last-Event-ID": place} if place else {}
        async with http.stream("GET", path, headers=headers) as response:
            if response.status_code in AWAY:
                return
            assert response.status_code == 200, response.status_code
            async with aclosing(response.aiter_bytes()) as chunks:
                async for event in parsed(chunks):
                    self._hear(event)

    def _hear(self, event: Event) -> None:
        if event.id is not None:
            self._take(event.id, event)
            return
        self.note(event.event, event.data)
        if event.event == "bye":
            self.returns.append(event.retry or 0)

    def _take(self, place: str, event: Event) -> None:
        self.only.take(place, event.event, event.data)


class Multiplex(Sse):
    """Many jobs on one connection; of no job is a cursor told, but for snapshots."""

    _place: str | None = None

    async def read_on(self, http: httpx2.AsyncClient) -> None:
        names = "&".join(f"job={job_id}" for job_id in self.holdings)
        await self._listen(http, f"/v1/stream?{names}", self._place)

    def _take(self, place: str, event: Event) -> None:
        data = {name: value for name, value in event.data.items() if name not in ("job", "seq")}
        holding, seq = self.holdings[event.data["job"]], event.data["seq"]
        if event.event == "snapshot":
            holding.take(data["cursor"], "snapshot", data | {"seq": seq})
        else:
            holding.take(f"0-{seq}", event.event, data)
        self._place = place
