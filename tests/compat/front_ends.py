"""The old front ends as they were written: post, look every two seconds, stop at the end; the pause is shorter."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from httpx2 import AsyncClient, Response

from jobs.model import JsonObject
from tests.jobs.patience import PATIENCE_SECONDS

FUNCTIONS = "/.netlify/functions"
PAUSE_SECONDS = 0.05
"""They waited 2 s."""


@dataclass
class FrontEnd:
    """One old page: it knows paths and field names, and nothing of jobs."""

    http: AsyncClient
    pause_seconds: float = PAUSE_SECONDS
    seen: list[JsonObject] = field(default_factory=list)

    async def post(self, path: str, body: JsonObject) -> Response:
        """As `fetch(path, {method: "POST", body: JSON.stringify(body)})` sends it: as text."""
        headers = {"Content-Type": "text/plain;charset=UTF-8"}
        request = self.http.build_request("POST", path, json=body)
        return await self.http.post(path, content=request.content, headers=headers)

    async def run_in_the_background(self, function: str, **body: Any) -> JsonObject:
        """The answer of `check-job-status` that ended the loop."""
        accepted = await self.post(f"{FUNCTIONS}/{function}-background", body)
        assert accepted.status_code == 202, accepted.text
        return await self._until(f"{FUNCTIONS}/check-job-status?jobId={accepted.json()['jobId']}")

    async def chat(self, **body: Any) -> JsonObject:
        """The answer of the chat's status that ended the loop."""
        accepted = await self.post("/api/ai/chat", body)
        assert accepted.status_code == 202, accepted.text
        return await self._until(f"/api/ai/chat/status?id={accepted.json()['chatId']}")

    async def copy(self, **body: Any) -> JsonObject:
        """The answer of `simple-status` that ended the loop."""
        accepted = await self.post(f"{FUNCTIONS}/copy-taskdetail", body)
        assert accepted.status_code == 202, accepted.text
        return await self._until(f"{FUNCTIONS}/simple-status?jobId={accepted.json()['jobId']}")

    async def send(self, name: str, data: JsonObject, **more: Any) -> JsonObject:
        """The answer that ended the loop over the event."""
        sent = await self.post(f"{FUNCTIONS}/async-workloads/send", {"eventName": name, "eventData": data, **more})
        assert sent.status_code == 202, sent.text
        return await self._until(f"{FUNCTIONS}/async-workloads/events/{sent.json()['eventId']}")

    async def _until(self, path: str) -> JsonObject:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                answer = await self.http.get(path)
                assert answer.status_code == 200, answer.text
                self.seen.append(answer.json())
                if self.seen[-1]["status"] in ("completed", "failed"):
                    return self.seen[-1]
                await asyncio.sleep(self.pause_seconds)
