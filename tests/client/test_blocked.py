"""A proxy on the way holds streams up: the job is watched all the same, and by a stream as soon as one passes."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from jobs.model import State
from jobstream.client import Job, Pace
from tests.api import Api, comparable
from tests.client.forms import OpenClient
from tests.client.proxy import Proxy, Streams, open_proxy
from tests.jobs.patience import PATIENCE_SECONDS
from tests.service.serving import Serving
from tests.system import SECRET
from tests.transports.hand import Hand

PACE = Pace(first=0.5, stream_again=3600.0, back_off=0.01, back_off_most=0.05)
CURIOUS = replace(PACE, stream_again=0.5)
HELD_UP = [streams for streams in Streams if streams is not Streams.PASS]


@pytest.fixture
async def proxy(service: Serving) -> AsyncIterator[Proxy]:
    async with open_proxy(service.url) as proxy:
        yield proxy


@pytest.mark.parametrize("streams", HELD_UP, ids=lambda streams: streams.value)
async def test_where_no_stream_gets_through_the_job_is_polled(
    open_client: OpenClient, proxy: Proxy, caller: Api, hand: Hand, streams: Streams
) -> None:
    """What is written is seen while it is written, and in the end it is what polling says."""
    proxy.streams = streams
    states: list[Job] = []

    async with open_client(proxy.url, SECRET, pace=PACE) as client:
        async for state in client.watch(hand.claim.job_id, timeout=PATIENCE_SECONDS):
            states.append(state)
            if len(states) < 3:
                await hand.write(hand.say("openai", "word "))
            elif len(states) == 3:
                await end(hand)

    assert [state.parts["openai"].text for state in states] == ["", "word ", "word word ", "word word "]
    assert states[-1].parts["openai"].verified is True
    assert comparable({**states[-1].snapshot}) == comparable(await caller.poll(hand.claim.job_id))
    assert len(streams_of(proxy.requests)) == 2
    assert len(proxy.requests) - len(streams_of(proxy.requests)) == len(states), (
        "each poll is held until there is news"
    )


async def test_a_stream_is_taken_up_again_as_soon_as_one_passes(
    open_client: OpenClient, proxy: Proxy, hand: Hand
) -> None:
    """From where the polls have come, so that nothing is told twice."""
    proxy.streams = Streams.BUFFERED
    seqs: list[int] = []
    asked, ends = 0, False

    async with open_client(proxy.url, SECRET, pace=CURIOUS) as client:
        async for state in client.watch(hand.claim.job_id, timeout=PATIENCE_SECONDS):
            seqs.append(state.seq)
            if len(seqs) == 2:
                asked = len(proxy.requests)
                proxy.streams = Streams.PASS
            if asked and streams_of(proxy.requests[asked:]) and not ends:
                ends = True
                await end(hand)
            elif not ends:
                await hand.write(hand.say("openai", "word "))

    assert seqs == list(range(seqs[0], seqs[-1] + 1))
    assert streams_of([proxy.requests[-1]])


async def test_a_job_that_has_ended_is_told_once_where_it_is_polled(
    open_client: OpenClient, proxy: Proxy, hand: Hand
) -> None:
    """As it is held: the poll has no news."""
    await end(hand)
    proxy.streams = Streams.REFUSED

    async with open_client(proxy.url, SECRET, pace=PACE) as client:
        job = await client.get(hand.claim.job_id)
        states = [state async for state in client.watch(job, timeout=PATIENCE_SECONDS)]

    assert states == [job]


async def end(hand: Hand) -> None:
    """The part and its job end, with the proof of the text."""
    await hand.write(hand.finish("openai", "completed"), hand.end(State.COMPLETED, result={}))


def streams_of(requests: list[str]) -> list[str]:
    """Those that asked for a stream."""
    return [request for request in requests if "/stream" in request]
