"""Chats submitted to the whole product one after another, each watched by a reader to its end."""

import json
import time
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from bench.pickup.connection import open_connection
from jobstream.product import Product

WARM_UP = 10  # the first ones load code and open connections


@dataclass(frozen=True)
class Pickup:
    """How long one chat waited, in seconds: until its worker began, and from request to reader.

    `start` is as fine as the service's own times, a millisecond."""

    start: float
    first_update: float


async def pick_ups(product: Product, count: int) -> list[Pickup]:
    """What `count` chats took on a system that does nothing else."""
    taken = [await _pick_up(product, f"How high is the tide in port {number}?") for number in range(WARM_UP + count)]
    return taken[WARM_UP:]


async def _pick_up(product: Product, message: str) -> Pickup:
    """The reader asks for the stream when it knows the job's id, and stays to the end: the next chat is alone."""
    async with open_connection(product) as submitting, open_connection(product) as listening:
        submitted_at = time.perf_counter()
        job = await submitting.submit(message)
        pickup = None
        async with aclosing(listening.listen(job["id"])) as events:
            async for event in events:
                if pickup is None and (started_at := json.loads(event.data).get("started_at")):
                    heard_after = time.perf_counter() - submitted_at
                    pickup = Pickup(_seconds(job["created_at"], started_at), heard_after)
    assert pickup, job["id"]  # noqa: S101
    return pickup


def _seconds(before: str, after: str) -> float:
    return (datetime.fromisoformat(after) - datetime.fromisoformat(before)).total_seconds()
