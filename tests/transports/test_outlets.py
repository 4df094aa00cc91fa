"""A stream's connection once its request is gone: what is on the wire, and what ends with it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from jobs.connection import Client
from jobs.model import State
from service.limits import Allowance
from service.outlet import Outlet
from tests.api import Api
from tests.jobs.doors import Doors
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.service.edge import PORTABLE_HOST, Edge, browser, edge
from tests.system import SECRET
from tests.transports.certificate import write_certificate
from tests.transports.hand import take_in_hand
from tests.transports.logs import ended, submit
from tests.valkey import ValkeyProcess

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Raw:
    """A client that sees every byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def until(self, mark: bytes) -> bytes:
        """What comes, up to the mark."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readuntil(mark)

    async def rest(self) -> bytes:
        """What comes until the connection ends."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read()


@asynccontextmanager
async def asking(
    service: Edge, path: str, *, version: str = "1.1", host: str = "127.0.0.1", then: bytes = b"", more: str = ""
) -> AsyncIterator[Raw]:
    """A connection on which the path was asked for, and something else was said behind it."""
    port = int(service.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection(host, port, limit=2**24)
    try:
        head = f"GET {path} HTTP/{version}\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {SECRET}\r\n{more}\r\n"
        writer.write(head.encode() + then)
        yield Raw(reader, writer)
    finally:
        writer.close()


def outlets(service: Edge) -> int:
    """How many connections have been handed over."""
    return sum(isinstance(each, Outlet) for each in service.connections)


async def gone(service: Edge) -> bool:
    return outlets(service) == 0


def unchunked(body: bytes) -> bytes:
    """The body without what HTTP/1.1 wraps it in; one that does not end as it must is an error."""
    whole = b""
    while body != b"0\r\n\r\n":
        size, _, body = body.partition(b"\r\n")
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) :]
        assert body.startswith(b"\r\n")
        body = body[2:]
    return whole


async def test_a_streams_body_is_chunked_and_ends_with_the_connection(
    service: Edge, caller: Api, doors: Doors
) -> None:
    """The head says that the connection closes, and the last chunk comes before it does."""
    job_id = await ended(caller, doors)

    async with asking(service, f"/v1/jobs/{job_id}/stream") as raw:
        head = (await raw.until(b"\r\n\r\n")).lower()
        body = unchunked(await raw.rest())

    assert head.count(b"transfer-encoding: chunked") == head.count(b"connection:") == 1
    assert b"connection: close" in head
    assert body.startswith(b"retry: 1000\n\n")
    assert body.rstrip().rpartition(b"\n\n")[2].split(b"\n")[1] == b"event: end"


async def test_a_client_of_http_1_0_is_given_the_body_as_it_is(service: Edge, caller: Api, doors: Doors) -> None:
    """Which chunks it could not read; the end of the connection is the end of the body."""
    job_id = await ended(caller, doors)

    async with asking(service, f"/v1/jobs/{job_id}/stream", version="1.0") as raw:
        head = (await raw.until(b"\r\n\r\n")).lower()
        body = await raw.rest()

    assert b"transfer-encoding" not in head
    assert body.startswith(b"retry: 1000\n\n")
    assert body.endswith(b"\n\n")
    assert b"\nevent: end\n" in body


async def test_what_a_client_says_behind_its_request_is_dropped(service: Edge, caller: Api, doors: Doors) -> None:
    """At once and later: nothing but the stream is answered on its connection."""
    job_id = await submit(caller)
    async with asking(service, f"/v1/jobs/{job_id}/stream", then=HEALTH) as raw:
        await raw.until(b"event: snapshot")
        raw.writer.write(HEALTH * 100)
        hand = await take_in_hand(doors, job_id)
        await hand.write(hand.end(State.FAILED))
        rest = await raw.rest()

    assert rest.count(b"HTTP/1.1") == 0
    assert rest.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("leave", ["write_eof", "close"])
async def test_a_client_that_stops_sending_or_leaves_is_gone(
    service: Edge, caller: Api, redis: Client, leave: str
) -> None:
    """Its connection is closed, and the job is followed no more."""
    job_id = await submit(caller)
    async with asking(service, f"/v1/jobs/{job_id}/stream") as raw:
        await raw.until(b"event: snapshot")
        assert outlets(service) == 1
        getattr(raw.writer, leave)()
        await until(lambda: gone(service))

    assert service.parts.feed.followed == 0
    assert service.parts.delivery.walks == 0


async def test_a_stream_is_one_line_of_the_log_at_its_end(service: Edge, caller: Api, doors: Doors) -> None:
    """With the request's id, the answer's status and how long all of it took."""
    job_id = await submit(caller)
    path = f"/v1/jobs/{job_id}/stream"

    with capture_logs() as lines:
        async with asking(service, path + "?token=hidden", more="X-Request-ID: mine\r\n") as raw:
            head = await raw.until(b"\r\n\r\n")
            await raw.until(b"event: snapshot")
            before = [line for line in lines if line.get("path") == path]
        await until(lambda: gone(service))

    (line,) = [line for line in lines if line.get("path") == path]
    assert before == []
    assert b"x-request-id: mine" in head.lower()
    assert (line["request_id"], line["method"], line["status"]) == ("mine", "GET", 200)
    assert line["seconds"] > 0
    assert "hidden" not in str(lines)


async def test_a_stream_keeps_its_seat_until_it_ends(store: ValkeyProcess, redis: Client) -> None:
    """One more is refused meanwhile, and none afterwards."""
    async with edge(store.url, allowance=Allowance(streams=1)) as service, browser(service, "one") as page:
        job_id = (await page.submit("hello"))["id"]
        path = f"/v1/jobs/{job_id}/stream"
        async with page.http.stream("GET", path):
            assert outlets(service) == 1
            refused = await page.http.get(path)
        await until(lambda: gone(service))

        async def taken() -> bool:
            async with page.http.stream("GET", path) as response:
                return response.status_code == 200

        await until(taken)

    assert refused.status_code == 429


async def test_a_portable_server_keeps_its_connections(service: Edge, caller: Api, doors: Doors) -> None:
    """Its streams are answers like any other: the next request comes on the same connection."""
    job_id = await ended(caller, doors)

    async with asking(service, f"/v1/jobs/{job_id}/stream", host=PORTABLE_HOST, then=HEALTH) as raw:
        body = await raw.until(b"0\r\n\r\n")
        healthy = await raw.until(b"\r\n\r\n")

    assert b"connection: close" not in body.lower()
    assert healthy.startswith(b"HTTP/1.1 200")


async def test_a_stream_is_handed_over_under_tls_too(
    store: ValkeyProcess, redis: Client, doors: Doors, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """And a long snapshot comes whole."""
    folder = tmp_path_factory.mktemp("tls")
    certificate = write_certificate(folder)
    trusting = ssl.create_default_context(cafile=certificate.file)
    async with (
        edge(store.url, certificate=certificate) as service,
        Api(service.url, SECRET, trusts=trusting) as caller,
    ):
        job_id = await submit(caller)
        hand = await take_in_hand(doors, job_id)
        await hand.write(hand.begin("openai"), hand.say("openai", "long " * 100_000))
        listening = caller.listen(job_id)
        told = await anext(listening)
        assert outlets(service) == 1
        await hand.write(hand.end(State.COMPLETED))
        rest = [event.event async for event in listening]

    assert len(told.data["parts"]["openai"]["text"]) == 500_000
    assert rest == ["end"]
