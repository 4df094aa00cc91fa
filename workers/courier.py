"""Makes the deliveries that are due, a few at a time: whoever asked for it is told of a job's end."""

import asyncio
import secrets
import time
from collections import Counter
from contextlib import suppress
from functools import partial

import structlog

from jobs.connection import Client
from jobs.deliveries import Delivery, Try
from jobs.endpoints import Endpoint, Endpoints
from jobs.errors import LeaseLost, StorageFull, StoreUnavailable, UrlNotAllowed
from jobs.signing import signatures
from jobs.webhooks import Webhooks
from workers.answers import answered, failed
from workers.posting import NotPosted, Postman
from workers.writer import patiently

AT_ONCE = 20
AT_ONCE_OF_ONE_HOST = 4
CALL_SECONDS = 15.0
IDLE_SECONDS = 1.0

log = structlog.get_logger(__name__)


class Courier:
    """One worker's share of the deliveries; each is made at least once, whoever dies meanwhile."""

    def __init__(
        self,
        client: Client,
        endpoints: Endpoints,
        *,
        postman: Postman | None = None,
        call_seconds: float = CALL_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._webhooks = Webhooks(client)
        self._endpoints = endpoints
        self._postman = postman or Postman()
        self._call_seconds = call_seconds
        self._idle_seconds = idle_seconds
        self._under_way: Counter[str] = Counter()
        self._freed = asyncio.Event()

    async def work(self) -> None:
        """Make what is due, for ever."""
        self._under_way.clear()
        async with asyncio.TaskGroup() as calls:
            while True:
                self._freed.clear()
                with suppress(StoreUnavailable, StorageFull):
                    for delivery in await self._taken():
                        self._under_way[delivery.host] += 1
                        calls.create_task(self._deliver(delivery))
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._idle_seconds):
                        await self._freed.wait()

    async def _taken(self) -> list[Delivery]:
        """What is due and fits; a host's next few come when all of the last are done."""
        free = AT_ONCE - self._under_way.total()
        if free == 0:
            return []
        token = secrets.token_hex(8)
        return await self._webhooks.take(
            slots=free, most_of_one=AT_ONCE_OF_ONE_HOST, token=token, busy=[*self._under_way]
        )

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            how = await self._try(delivery)
            with suppress(LeaseLost):  # the store was away for longer than the lease: it is told once more
                await patiently(partial(self._webhooks.settle, delivery, how))
        finally:
            self._under_way -= Counter([delivery.host])  # which forgets a host with none
            self._freed.set()

    async def _try(self, delivery: Delivery) -> Try:
        """How the try went; whatever goes wrong with it is a try that failed, and hinders no other delivery."""
        try:
            return await self._call(delivery)
        except UrlNotAllowed:
            why = "The URL is not allowed, or cannot be opened."
        except NotPosted as fault:
            why = str(fault)
        except TimeoutError:
            why = f"The endpoint took longer than {self._call_seconds:g} s."
        except Exception as fault:  # noqa: BLE001  # told as a failed try
            name = type(fault).__name__
            log.error("a delivery met a fault", delivery=delivery.id, fault=name)  # noqa: TRY400  # it may show the URL
            why = "The delivery met an unexpected fault."
        return failed(why, attempt=delivery.attempt)

    async def _call(self, delivery: Delivery) -> Try:
        endpoint = self._endpoints.read(delivery.url)
        if not self._endpoints.keys_for(endpoint):
            raise NotPosted("Nothing signs webhooks for this host: set JOBSTREAM_WEBHOOK_SECRET for the workers too.")
        headers = self._headers(delivery, endpoint)
        async with asyncio.timeout(self._call_seconds):
            response = await self._postman.post(endpoint, headers, delivery.body)
        return answered(response, attempt=delivery.attempt)

    def _headers(self, delivery: Delivery, endpoint: Endpoint) -> dict[str, str]:
        now = int(time.time())
        return {
            "Content-Type": "application/json",
            "User-Agent": "Jobstream",
            "webhook-id": delivery.id,
            "webhook-timestamp": str(now),
            "webhook-signature": signatures(self._endpoints.keys_for(endpoint), delivery.id, now, delivery.body),
        }
