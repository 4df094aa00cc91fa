"""Clients that know only the protocol: httpx2's own server-sent events, and `websockets`, each cut and resumed."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx2
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from jobs.model import JsonObject
from tests.api import Api, digest
from tests.client.proxy import Fate, Proxy, open_proxy
from tests.jobs.patience import PATIENCE_SECONDS
from tests.system import SECRET, System

HEADERS = {"Authorization": f"Bearer {SECRET}"}
PROMPT = "Tell me about lighthouses. " * 100
CUTS = [
    Fate(after, resets) for after, resets in ((0, True), (900, False), (1700, True), (5000, False), (1 << 30, True))
]


@dataclass
class Text:
    """What a plain reader keeps of a job: where it is, and each part's text."""

    job_id: str
    cursor: str = ""
    ended: bool = False
    parts: dict[str, str] = field(default_factory=dict)

    def take(self, cursor: str | None, event: str, data: JsonObject) -> None:
        """One update; words that are not at their place are an error."""
        if not cursor:
            return
        self.cursor = cursor
        match event:
            case "snapshot":
                self.parts = {name: part["text"] for name, part in data["parts"].items()}
            case "part" if "text" in data:
                self.parts[data["part"]] = data["text"]
            case "delta":
                text = self.parts[data["part"]]
                assert data["at"] == len(text.encode("utf-16-le")) // 2
                self.parts[data["part"]] = text + data["text"]
            case "end":
                self.ended = True


Reader = Callable[[str, Text], Awaitable[None]]


async def by_httpx2(url: str, text: Text) -> None:
    """What one connection brings to httpx2's EventSource."""
    place = {"Last-Event-ID": text.cursor} if text.cursor else {}
    http = httpx2.AsyncClient(base_url=url, headers=HEADERS, timeout=PATIENCE_SECONDS, trust_env=False)
    async with http, http.sse(f"/v1/jobs/{text.job_id}/stream", headers=place) as events:
        async for event in events:
            if event.data:
                text.take(event.id, event.event, json.loads(event.data))


async def by_websockets(url: str, text: Text) -> None:
    """What one connection brings to `websockets`."""
    after = f"?after={text.cursor}" if text.cursor else ""
    address = f"{url.replace('http', 'ws', 1)}/v1/jobs/{text.job_id}/ws{after}"
    async with connect(address, subprotocols=["jobs.v1"], additional_headers=HEADERS, proxy=None) as socket:  # type: ignore[list-item]
        async for message in socket:
            told = json.loads(message)
            text.take(told.get("id"), told["event"], told["data"])


@pytest.mark.parametrize("reader", [by_httpx2, by_websockets])
async def test_a_client_of_somebody_else_gets_the_same_text(system: System, api: Api, reader: Reader) -> None:
    """Each connection is cut somewhere else; the next one goes on with the cursor."""
    job = await api.submit(PROMPT)
    text = Text(job["id"])
    async with open_proxy(system.url, fates=iter(CUTS)) as proxy:
        while not text.ended:
            await _try(reader, proxy, text)

    ended = await api.poll(job["id"])
    assert sum(proxy.cuts.values()) == len(CUTS) - 1
    assert {name: digest(said) for name, said in text.parts.items()} == {
        name: part["sha256"] for name, part in ended["parts"].items()
    }


async def _try(reader: Reader, proxy: Proxy, text: Text) -> None:
    try:
        await reader(proxy.url, text)
    except (httpx2.TransportError, WebSocketException, OSError, EOFError):
        assert proxy.cuts
