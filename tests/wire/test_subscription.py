"""The hub's connection to the store: signed in as the URL asks, read whole, and known to be lost when it is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from jobs.connection import Client
from service.subscription import Reply, open_subscription
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.system import free_port
from tests.valkey import ValkeyProcess

CHANNEL = b"a channel"
MESSAGES = 500


@pytest.fixture
async def urls(store: ValkeyProcess, redis: Client) -> AsyncIterator[list[str]]:
    """The store on its socket and on a port, for everybody and for one who has a password."""
    port = free_port()
    await redis.config_set("port", port)
    await redis.acl_setuser("ear", enabled=True, passwords=["+p@ss"], categories=["+@pubsub"], channels=["*"])
    try:
        path = store.url.removeprefix("unix://")
        separator = "&" if "?" in path else "?"
        yield [
            store.url,
            f"redis://127.0.0.1:{port}",
            f"redis://ear:p%40ss@127.0.0.1:{port}",
            f"unix://{path}{separator}username=ear&password=p%40ss",
            f"redis://127.0.0.1:{port}?protocol=3",
        ]
    finally:
        await redis.acl_deluser("ear")
        await redis.config_set("port", 0)


async def test_everything_is_heard_in_order_however_the_store_is_named(urls: list[str], redis: Client) -> None:
    """By its socket or its port, with a password or without, in either version of its protocol."""
    for url in urls:
        confirmed, *looks = await looks_at(url, redis)
        messages = [reply for look in looks for reply in look]

        assert [reply[:2] for reply in confirmed] == [[b"subscribe", CHANNEL]], url
        assert [int(message[2]) for message in messages] == list(range(MESSAGES)), url
        assert len(looks) < MESSAGES / 2, "each message was read by itself"


async def looks_at(url: str, redis: Client) -> list[list[Reply]]:
    """What each look at the socket brought: that the channel is followed, and then its messages."""
    looks: list[list[Reply]] = []

    async def came(count: int) -> bool:
        return sum(map(len, looks)) >= count

    async with open_subscription(url, looks.append) as line:
        line.subscribe(CHANNEL)
        await until(lambda: came(1))
        async with redis.pipeline(transaction=False) as pipe:
            for number in range(MESSAGES):
                pipe.publish(CHANNEL, str(number))
            await pipe.execute()
        await until(lambda: came(1 + MESSAGES))
    return looks


async def test_a_sign_of_life_is_heard_before_and_after_anything_is_followed(
    store: ValkeyProcess, redis: Client
) -> None:
    """Whoever asks for it is told, so silence means that the connection is dead."""
    looks: list[list[Reply]] = []

    async def looked(count: int) -> bool:
        return len(looks) >= count

    async with open_subscription(store.url, looks.append) as line:
        line.ping()
        await until(lambda: looked(1))
        line.subscribe(CHANNEL)
        await until(lambda: looked(2))
        line.ping()
        await until(lambda: looked(3))


async def test_a_subscription_that_is_refused_or_cut_is_lost_at_once(store: ValkeyProcess, redis: Client) -> None:
    """With the reason."""
    await redis.acl_setuser("mute", enabled=True, passwords=["+x"], commands=["+ping"])
    try:
        async with open_subscription(f"{store.url}&username=mute&password=x", lambda _: None) as line:
            line.subscribe(CHANNEL)
            async with asyncio.timeout(PATIENCE_SECONDS):
                refused = await line.lost
        async with open_subscription(store.url, lambda _: None) as line:
            line.subscribe(CHANNEL)
            await until(lambda: _is_heard(redis))
            await redis.client_kill_filter(_type="pubsub")
            async with asyncio.timeout(PATIENCE_SECONDS):
                cut = await line.lost
    finally:
        await redis.acl_deluser("mute")

    assert refused.startswith("refused: ")
    assert "refused" not in cut


async def _is_heard(redis: Client) -> bool:
    return CHANNEL in await redis.pubsub_channels()
