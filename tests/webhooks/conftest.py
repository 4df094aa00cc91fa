"""A store with jobs that tell of their ends, and somebody to tell."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from jobs import keys
from jobs.deliveries import Story
from jobs.endpoints import Endpoints
from jobs.model import Failure, JobId
from jobs.signing import Secrets
from jobs.webhooks import Webhooks
from tests.jobs import lines
from tests.jobs.doors import Doors
from tests.jobs.patience import until
from tests.webhooks.receiver import SECRETS, Receiver, receiving
from workers.courier import CALL_SECONDS, Courier
from workers.posting import Postman

IDLE_SECONDS = 0.05
FAILURE = Failure(type="timeout", title="A step took too long", detail="It said a secret.", retryable=False)


@dataclass
class Office:
    """Jobs, their ends, and whoever tells of them."""

    doors: Doors
    endpoints: Endpoints

    @property
    def webhooks(self) -> Webhooks:
        return Webhooks(self.doors.client)

    async def submit(self, url: str, **more: Any) -> JobId:
        """A job whose end is to be told there."""
        return await self.doors.submit(webhook=self.endpoints.read(url), **more)

    async def ended(self, url: str, *, state: str = "completed", **more: Any) -> JobId:
        """The same, which a worker has brought to its end."""
        job_id = await self.submit(url, **more)
        (claim,) = await self.doors.claim(f"worker-of-{job_id}")
        await self.doors.append(claim, lines.end(state, failure=FAILURE if state == "failed" else None))
        return job_id

    @asynccontextmanager
    async def courier(
        self, *, secrets: Secrets = SECRETS, call_seconds: float = CALL_SECONDS, postman: Postman | None = None
    ) -> AsyncIterator[None]:
        """Somebody tells while the block lasts."""
        endpoints = Endpoints(secrets, self.endpoints._hosts)
        courier = Courier(
            self.doors.client, endpoints, postman=postman, call_seconds=call_seconds, idle_seconds=IDLE_SECONDS
        )
        working = asyncio.create_task(courier.work())
        try:
            yield
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    async def story(self, job_id: JobId) -> Story:
        """How the delivery of the job's newest run goes."""
        return (await self.webhooks.of_job(job_id))[0]

    async def until(self, job_id: JobId, state: str, *, attempt: int = 1) -> Story:
        """The same, once it is so and was tried so often."""

        async def so() -> bool:
            story = await self.story(job_id)
            return (story.state, story.attempt) == (state, attempt)

        await until(so)
        return await self.story(job_id)

    async def fall_due(self) -> None:
        """The time has come that every delivery waits for."""
        client = self.doors.client
        for host in await client.zrange(keys.HOSTS, 0, -1):
            name = keys.DUE + host.decode()
            for delivery in await client.zrange(name, 0, -1):
                await client.zadd(name, {delivery: 1})
            await client.zadd(keys.HOSTS, {host: 1})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as running:
        yield running


@pytest.fixture
def office(doors: Doors, receiver: Receiver) -> Office:
    return Office(doors, Endpoints(SECRETS, [receiver.place]))
