"""The contract of a plain client: it comes back with its place whenever it is cut off."""

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress

import httpx2
from websockets.exceptions import WebSocketException

from jobs.model import JsonObject
from tests.cuts.holding import Holding
from tests.system import SECRET

SILENCE_SECONDS = 60.0
"""How long a client hears nothing, not even a ping, before it takes the connection for dead."""

PAUSE_SECONDS = 0.1
CREDENTIAL = {"Authorization": f"Bearer {SECRET}"}

BREAKS = (httpx2.TransportError, WebSocketException, OSError, EOFError)
"""How a client learns that its connection is no more."""

AWAY = (429, 503)
"""What it is answered where it is to come again."""


class Reader(ABC):
    """A client that follows jobs until all have ended."""

    exact = True
    """Whether it is given each update by itself."""

    streams = True
    """Whether an update comes as soon as there is one; an answer that is held comes half a second later."""

    def __init__(self, url: str, job_ids: Iterable[str], *, trusts: ssl.SSLContext | None = None) -> None:
        self.url = url
        self.trusts = trusts
        self.holdings = {job_id: Holding(job_id) for job_id in job_ids}
        self.connections = self.pings = 0
        self.byes: list[str] = []
        self.returns: list[int] = []
        """After how many milliseconds each farewell asked it to come back, where it said so."""

    @property
    def only(self) -> Holding:
        """Its one job."""
        (holding,) = self.holdings.values()
        return holding

    @property
    def done(self) -> bool:
        return all(holding.ended for holding in self.holdings.values())

    async def read(self) -> None:
        """Follow to the end, through whatever happens to the connection."""
        async with new_client(self.url, self.trusts) as http:
            while not self.done:
                with suppress(*BREAKS):
                    self.connections += 1
                    await self.read_on(http)
                await asyncio.sleep(PAUSE_SECONDS)

    @abstractmethod
    async def read_on(self, http: httpx2.AsyncClient) -> None:
        """What one connection, or one request, brings."""

    def note(self, event: str, data: JsonObject) -> None:
        """What the server says for itself; a refusal that does not pass is an error."""
        match event:
            case "ping":
                self.pings += 1
            case "bye":
                self.byes.append(data["reason"])
            case "problem":
                assert data["status"] in AWAY, data


def new_client(url: str, trusts: ssl.SSLContext | None = None) -> httpx2.AsyncClient:
    """A client with the service secret, which may have any number of connections."""
    limits = httpx2.Limits(max_connections=None)
    return httpx2.AsyncClient(
        base_url=url,
        headers=CREDENTIAL,
        timeout=SILENCE_SECONDS,
        limits=limits,
        trust_env=False,
        verify=trusts or True,
    )
