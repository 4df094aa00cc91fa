"""How the providers treat their connections: what they reuse, give up and never do."""

import asyncio
import socket
from contextlib import aclosing
from dataclasses import replace

import httpx2
import pytest

from tests.providers.asking import ask, fault_of, outcome_of
from tests.providers.raw import PING_SECONDS, Reply, raw_server, reply
from tests.providers.samples import SAMPLES, TEXTS
from tests.providers.subjects import KEY, Subject
from workers.provider import Text
from workers.providers.connections import open_connections
from workers.providers.limits import DEFAULT_LIMITS


async def test_closing_in_the_middle_drops_the_connection(subject: Subject, http: httpx2.AsyncClient) -> None:
    sample = SAMPLES[subject.id]
    begun = b"".join((*sample.before, *sample.words))
    async with raw_server(reply(begun, ended=False, then="stall")) as server:
        provider = subject.open(http, server.url, KEY, DEFAULT_LIMITS)

        async with aclosing(provider.stream(ask())) as pieces:
            assert await anext(pieces) == Text(TEXTS[0])

        await server.all_connections_closed()


async def test_cancelling_in_the_middle_drops_the_connection(subject: Subject, http: httpx2.AsyncClient) -> None:
    sample = SAMPLES[subject.id]
    begun = b"".join((*sample.before, *sample.words))
    heard = asyncio.Event()

    async def listen(url: str) -> None:
        async with aclosing(subject.open(http, url, KEY, DEFAULT_LIMITS).stream(ask())) as pieces:
            async for piece in pieces:
                if piece == Text(TEXTS[-1]):
                    heard.set()

    async with raw_server(reply(begun, ended=False, then="stall")) as server:
        task = asyncio.create_task(listen(server.url))
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await server.all_connections_closed()


async def test_a_provider_that_is_given_up_loses_its_connection(subject: Subject) -> None:
    impatient = replace(DEFAULT_LIMITS, first_byte_seconds=0.2)
    async with open_connections(impatient, proxied=False) as connections, raw_server(Reply(b"", "stall")) as server:
        await fault_of(subject.open(connections, server.url, KEY, impatient), ask())

        await server.all_connections_closed()


async def test_keep_alives_are_a_sign_of_life(subject: Subject, http: httpx2.AsyncClient) -> None:
    sample = SAMPLES[subject.id]
    patient = replace(DEFAULT_LIMITS, idle_seconds=6 * PING_SECONDS)
    said = reply(sample.words[0], pings=12, late=b"".join((sample.words[1], *sample.after)))
    async with open_connections(patient, proxied=False) as connections, raw_server(said) as server:
        outcome = await outcome_of(subject.open(connections, server.url, KEY, patient), ask())

    assert outcome.text == "".join(TEXTS)
    assert outcome.finish is not None


async def test_keep_alives_for_ever_are_not_an_answer(subject: Subject, http: httpx2.AsyncClient) -> None:
    impatient = replace(DEFAULT_LIMITS, event_seconds=0.3)
    async with raw_server(reply(b"", pings=10_000)) as server:
        fault = await fault_of(subject.open(http, server.url, KEY, impatient), ask())

        await server.all_connections_closed()
    assert fault.retryable
    assert fault.detail.endswith("did not get on with its answer for 0.3 s.")


async def test_a_connection_serves_one_answer_after_the_other(subject: Subject, http: httpx2.AsyncClient) -> None:
    async with raw_server(reply(SAMPLES[subject.id].body)) as server:
        provider = subject.open(http, server.url, KEY, DEFAULT_LIMITS)

        for _ in range(3):
            assert (await outcome_of(provider, ask())).finish is not None

        assert len(server.received) == 3
        assert server.connections == 1


@pytest.mark.parametrize("then", ["stall", "close"])
async def test_a_connection_that_does_not_end_after_the_last_word_takes_nothing_back(
    subject: Subject, then: str, http: httpx2.AsyncClient
) -> None:
    hurried = replace(DEFAULT_LIMITS, tail_seconds=0.1)
    said = reply(SAMPLES[subject.id].body, ended=False, then="stall" if then == "stall" else "close")
    async with raw_server(said) as server:
        outcome = await outcome_of(subject.open(http, server.url, KEY, hurried), ask())

    assert outcome.text == "".join(TEXTS)
    assert outcome.finish is not None


async def test_nobody_listening_is_worth_another_try(subject: Subject, http: httpx2.AsyncClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()

    fault = await fault_of(subject.open(http, f"http://{host}:{port}", KEY, DEFAULT_LIMITS), ask())

    assert fault.retryable
    assert fault.detail.endswith("could not be reached.")


async def test_a_host_that_takes_no_connection_is_given_up(subject: Subject) -> None:
    impatient = replace(DEFAULT_LIMITS, connect_seconds=0.2)
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        host, port = listener.getsockname()
        for filling in (first, second):  # with its queue full, the kernel leaves further connections waiting
            filling.settimeout(0)
            filling.connect_ex((host, port))
        async with open_connections(impatient, proxied=False) as http:
            fault = await fault_of(subject.open(http, f"http://{host}:{port}", KEY, impatient), ask())

    assert fault.retryable
    assert fault.detail.endswith("could not be reached.")


async def test_a_redirect_is_not_followed_with_the_key(subject: Subject, http: httpx2.AsyncClient) -> None:
    async with raw_server(reply(SAMPLES[subject.id].body)) as elsewhere:
        moved = reply(b"", status="307 Temporary Redirect", headers=f"location: {elsewhere.url}/v1\r\n")
        async with raw_server(moved) as server:
            fault = await fault_of(subject.open(http, server.url, KEY, DEFAULT_LIMITS), ask())

        assert elsewhere.received == []
    assert not fault.retryable


@pytest.mark.parametrize("status", ["200 OK", "500 Internal Server Error"])
async def test_an_endless_answer_is_refused(subject: Subject, status: str) -> None:
    small = replace(DEFAULT_LIMITS, answer_bytes=10_000)
    async with (
        open_connections(small, proxied=False) as http,
        raw_server(reply(b"data: " + b"x" * 100_000, status=status, chunk_bytes=1_000)) as server,
    ):
        fault = await fault_of(subject.open(http, server.url, KEY, small), ask())

    assert not fault.retryable
    assert "larger than we take" in fault.detail
    assert fault.__context__ is None


async def test_the_networks_proxy_is_used_where_it_is_wanted(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with raw_server(reply(SAMPLES[subject.id].body)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with open_connections(DEFAULT_LIMITS, proxied=True) as http:
            outcome = await outcome_of(subject.open(http, "http://provider.test", KEY, DEFAULT_LIMITS), ask())

    assert outcome.finish is not None
    assert proxy.received[0].head.startswith("POST http://provider.test/")


async def test_the_key_goes_into_a_header_and_nowhere_else(subject: Subject, http: httpx2.AsyncClient) -> None:
    async with raw_server(reply(SAMPLES[subject.id].body)) as server:
        await outcome_of(subject.open(http, server.url, KEY, DEFAULT_LIMITS), ask())

    [request] = server.received
    assert KEY in request.head.partition("\r\n")[2]
    assert KEY not in request.head.partition("\r\n")[0]
    assert KEY.encode() not in request.body
