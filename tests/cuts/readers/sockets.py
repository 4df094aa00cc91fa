"""WebSockets."""

import asyncio
import json
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from tests.cuts.reader import CREDENTIAL, SILENCE_SECONDS, Reader


class Socket(Reader):
    """One job."""

    async def read_on(self, _http: httpx2.AsyncClient) -> None:
        after = f"?after={self.only.cursor}" if self.only.cursor else ""
        async with self._dial(f"/v1/jobs/{self.only.job_id}/ws{after}") as socket:
            await self._listen(socket)

    def _dial(self, path: str) -> connect:
        return connect(
            self.url.replace("http", "ws", 1) + path,
            subprotocols=["jobs.v1"],  # type: ignore[list-item]
            additional_headers=CREDENTIAL,
            ssl=self.trusts,
            proxy=None,
            open_timeout=SILENCE_SECONDS,
            close_timeout=1,
            ping_interval=None,
        )

    async def _listen(self, socket: ClientConnection) -> None:
        while not self.done:
            async with asyncio.timeout(SILENCE_SECONDS):
                self._hear(json.loads(await socket.recv()))

    def _hear(self, message: dict[str, Any]) -> None:
        match message:
            case {"id": cursor, "job": job_id, "event": event, "data": data}:
                self.holdings[job_id].take(cursor, event, data)
            case {"event": event, "data": data}:
                self.note(event, data)
            case {"op": "error", "problem": problem}:
                self.note("problem", problem)
                raise ConnectionRefusedError(problem["detail"])  # it comes again


class Sockets(Socket):
    """Many jobs on one connection."""

    async def read_on(self, _http: httpx2.AsyncClient) -> None:
        async with self._dial("/v1/ws") as socket:
            for holding in self.holdings.values():
                if not holding.ended:
                    after = {"after": holding.cursor} if holding.cursor else {}
                    await socket.send(json.dumps({"op": "subscribe", "job": holding.job_id, **after}))
            await self._listen(socket)
