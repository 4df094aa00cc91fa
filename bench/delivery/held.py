"""Jobs that the bench itself holds: submitted and claimed as the product's own are, and written by its publisher."""

import asyncio

from bench.delivery.forms import Leased
from jobs import keys
from jobs.connection import Client, script_text
from jobs.kinds.chat import CHAT
from jobs.leases import Claim, Leases
from jobs.queue import Queue, Submission

LEASE_SECONDS = 4 * 3600.0
TOGETHER = 32
INPUT = {"message": "How high is the tide?"}


class Held:
    """The running jobs that nobody but the bench writes to; there are as many as were ever wanted."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._claims: list[Claim] = []

    async def jobs(self, count: int) -> list[Leased]:
        """So many of them, as they are now."""
        if len(self._claims) < count:
            await self._take(count - len(self._claims))
        async with self._client.pipeline(transaction=False) as calls:
            for claim in self._claims[:count]:
                calls.hmget(keys.job(claim.job_id), ["us", "seq", "bytes", "flush"])
            rows = await calls.execute()
        return [
            Leased(claim.job_id, claim.token, int(us), int(seq), int(size), int(flush or 0))
            for claim, (us, seq, size, flush) in zip(self._claims, rows, strict=False)
        ]

    async def _take(self, count: int) -> None:
        queue, leases = Queue(self._client), Leases(self._client, lease_seconds=LEASE_SECONDS)
        for first in range(0, count, TOGETHER):
            await asyncio.gather(*(_submit(queue) for _ in range(min(TOGETHER, count - first))))
        await self._client.script_load(script_text("append"))  # the publisher calls it by its digest
        wanted = len(self._claims) + count
        while len(self._claims) < wanted:
            token = f"bench-{len(self._claims)}"
            self._claims += (await leases.claim(slots=TOGETHER, token=token, kinds=[CHAT])).jobs


async def _submit(queue: Queue) -> None:
    await queue.submit(Submission(kind=CHAT, input=dict(INPUT)))
