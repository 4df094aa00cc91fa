"""`python -m bench.delivery.peers.shared PORT STORE`: sse-starlette, a queue for each client, one subscription."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from redis.asyncio import Redis
from sse_starlette import EventSourceResponse

STORE = sys.argv[2]
redis = Redis.from_url(STORE, decode_responses=True)
subscription = redis.pubsub()
queues: dict[str, set[asyncio.Queue[str]]] = defaultdict(set)


@asynccontextmanager
async def listening(_: FastAPI) -> AsyncIterator[None]:
    """One task hands every message to the queues of its channel."""
    await subscription.subscribe("hello")
    task = asyncio.create_task(listen())
    yield
    task.cancel()


async def listen() -> None:
    """Hand out what comes, for ever."""
    async for message in subscription.listen():
        if message["type"] == "message":
            for queue in queues[message["channel"]]:
                queue.put_nowait(message["data"])


app = FastAPI(lifespan=listening)


@app.get("/sub")
async def subscribe(id: str) -> EventSourceResponse:  # noqa: A002  # the name in the URL
    """What is published on the channel, from now on."""
    return EventSourceResponse(heard(id), ping=15)


async def heard(channel: str) -> AsyncIterator[str]:
    """Each message of the channel."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    queues[channel].add(queue)
    if len(queues[channel]) == 1:
        await subscription.subscribe(channel)
    try:
        while True:
            yield await queue.get()
    finally:
        queues[channel].discard(queue)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
