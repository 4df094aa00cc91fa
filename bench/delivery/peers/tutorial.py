"""`python -m bench.delivery.peers.tutorial PORT STORE`: as tutorials have it, a subscription for each client."""

import sys
from collections.abc import AsyncIterator

import uvicorn
from fastapi import FastAPI
from redis.asyncio import Redis
from sse_starlette import EventSourceResponse

STORE = sys.argv[2]
app = FastAPI()


@app.get("/sub")
async def subscribe(id: str) -> EventSourceResponse:  # noqa: A002  # the name in the URL
    """What is published on the channel, from now on."""
    return EventSourceResponse(heard(id), ping=15)


async def heard(channel: str) -> AsyncIterator[str]:
    """Each message, on a connection of its own."""
    redis = Redis.from_url(STORE, decode_responses=True)
    async with redis, redis.pubsub() as subscription:
        await subscription.subscribe(channel)
        async for message in subscription.listen():
            if message["type"] == "message":
                yield message["data"]


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")
