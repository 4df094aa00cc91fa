"""The arq worker whose loop is ours: a bell wakes it, a lease guards what it took, a signal hands it all back."""

import asyncio
import json
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, cast

import structlog
from arq.worker import Worker
from redis.exceptions import RedisError

from jobs import keys
from jobs.connection import Client, connect, open_client, store_faults
from jobs.errors import StorageFull, StoreUnavailable
from jobs.events import Events
from jobs.index import Index
from jobs.leases import Claim, Leases
from jobs.log import Log
from jobs.model import JobId
from workers.lease import LeaseKeeper
from workers.runner import Runner, Running, Stop

IDLE_SECONDS = 1.0
"""How long the queue goes unasked when no bell rings: a bell may have been lost with its connection."""

BELL_SECONDS = 5
BEAT_SECONDS = 5.0
DEAD_SECONDS = 15.0
SWEEP_SECONDS = 5.0
RECONCILE_SECONDS = 30.0
CRON_SECONDS = 1.0
PAUSE_SECONDS = 0.2

log = structlog.get_logger(__name__)


class JobWorker(Worker):
    """Runs the jobs of one queue, `max_jobs` at a time; arq supplies settings, command line and signals.

    `ctx` brings the parts: `open_url` gives an async context manager of the store's URL, `open_runner` one of the
    Runner for a client, `cron` and `events` the Cron and the Events of a client; `lease_seconds` is a number."""

    async def main(self) -> None:
        """Claim and run jobs until a signal; then hand back what is unfinished."""
        self._running: dict[JobId, Running] = {}
        self._wake = asyncio.Event()
        self._answered = asyncio.Event()
        self._stopping = asyncio.Event()
        self._sent = asyncio.Event()
        self._claims = 0
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(self.ctx["open_url"]())
            client = await stack.enter_async_context(connect(url))
            runner = await stack.enter_async_context(self.ctx["open_runner"](client))
            await self._work(url, client, runner)

    def handle_sig(self, signum: signal.Signals) -> None:
        """Stop claiming, hand every job back, end."""
        log.info("worker stops", signal=signum.name)
        if not self.stop() and self.main_task is not None:
            self.main_task.cancel()  # before it began to work, or a second signal

    def stop(self) -> bool:
        """Begin to stop; False if it does so already, or has not begun to work."""
        if not hasattr(self, "_stopping") or self._stopping.is_set():
            return False
        self._stopping.set()
        self._wake.set()
        return True

    async def close(self) -> None:
        """Nothing is left open: `main` closes what it opened."""

    async def _work(self, url: str, client: Client, runner: Runner) -> None:
        leases = Leases(client, lease_seconds=self.ctx["lease_seconds"])
        loop = asyncio.get_running_loop()
        keeper = LeaseKeeper(
            url,
            lease_seconds=self.ctx["lease_seconds"],
            tell=lambda jobs, why: loop.call_soon_threadsafe(self._stop, jobs, why),
        )
        log.info("worker ready", worker=self._name, slots=self.max_jobs)
        with keeper.running():
            async with (
                asyncio.TaskGroup() as jobs,
                _cancelled_after(
                    self._hear_bell(url),
                    self._hear_cancels(url),
                    _forever(BEAT_SECONDS, lambda: self._beat(client)),
                    _forever(SWEEP_SECONDS, Log(client).trim_ended),
                    _forever(RECONCILE_SECONDS, lambda: self._reconcile(leases, client)),
                    _forever(CRON_SECONDS, self.ctx["cron"](client).tick),
                    self._relay(self.ctx["events"](client)),
                    self._show_life(keeper),
                ),
            ):
                await self._claim_until_stopped(leases, runner, keeper, jobs)
                self._stop([*self._running], Stop.SHUTDOWN)
                while self._running:
                    self._wake.clear()
                    await self._wake.wait()
        with suppress(StoreUnavailable), store_faults():
            await client.zrem(keys.WORKERS, self._name)

    async def _claim_until_stopped(
        self, leases: Leases, runner: Runner, keeper: LeaseKeeper, jobs: asyncio.TaskGroup
    ) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                wait = await self._claim(leases, runner, keeper, jobs)
            except (StoreUnavailable, StorageFull):
                wait = PAUSE_SECONDS
            self._answered.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._wake.wait()

    async def _claim(self, leases: Leases, runner: Runner, keeper: LeaseKeeper, jobs: asyncio.TaskGroup) -> float:
        """Start what is due and fits; how long nothing more is expected."""
        free = self.max_jobs - len(self._running)
        if free <= 0:
            return IDLE_SECONDS
        self._claims += 1
        token = f"{self._name}-{self._claims}"
        claims = await leases.claim(slots=free, token=token, kinds=runner.kinds)
        self._stop([claim.job_id for claim in claims.jobs], Stop.LOST)  # what was lost here and comes back
        for claim in claims.jobs:
            keeper.hold(claim.job_id, claim.token)
            self._running[claim.job_id] = running = Running(claim)
            jobs.create_task(self._run(runner, keeper, claim, running))
        wait = IDLE_SECONDS if claims.wait_seconds is None else claims.wait_seconds
        return min(wait, IDLE_SECONDS)

    async def _run(self, runner: Runner, keeper: LeaseKeeper, claim: Claim, running: Running) -> None:
        try:
            await runner.run(running)
        except (StoreUnavailable, StorageFull):
            log.warning("job left to its lease: the store does not answer", job_id=claim.job_id)
        finally:
            if self._running.get(claim.job_id) is running:  # else it is lost, and here again
                keeper.drop(claim.job_id)
                del self._running[claim.job_id]
            self._wake.set()
            self._sent.set()  # it may have sent events

    def _stop(self, jobs: list[JobId], why: Stop) -> None:
        for job_id in jobs:
            if running := self._running.get(job_id):
                running.stop(why)

    async def _hear_bell(self, url: str) -> None:
        """Each ring wakes one worker, which takes all that it can before it listens for the next."""
        async with connect(url, call_seconds=2 * BELL_SECONDS, most=1) as client:
            while True:
                try:
                    if len(self._running) >= self.max_jobs:
                        await asyncio.sleep(PAUSE_SECONDS)
                    elif await cast("Awaitable[object]", client.blpop([keys.BELL], timeout=BELL_SECONDS)):
                        self._answered.clear()
                        self._wake.set()
                        await self._answered.wait()
                except (RedisError, OSError):
                    await asyncio.sleep(PAUSE_SECONDS)

    async def _hear_cancels(self, url: str) -> None:
        """Cancels as they are asked for; one that is missed here comes with the next renewal of the lease."""
        while True:
            client = open_client(url, call_seconds=2 * BELL_SECONDS, most=1)
            try:
                async with client.pubsub() as subscription:
                    await subscription.subscribe(keys.CANCELS)
                    while True:
                        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=BELL_SECONDS)
                        if message:
                            self._stop([JobId(message["data"].decode())], Stop.CANCELLED)
            except (RedisError, OSError):
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                await client.aclose(close_connection_pool=True)

    async def _beat(self, client: Client) -> None:
        now = time.time()
        facts = json.dumps({"slots": self.max_jobs, "running": len(self._running)})
        with store_faults():
            async with client.pipeline(transaction=False) as pipe:
                pipe.zadd(keys.WORKERS, {self._name: now})
                pipe.zremrangebyscore(keys.WORKERS, "-inf", now - DEAD_SECONDS)
                pipe.expire(keys.WORKERS, 3600)
                pipe.set(keys.worker(self._name), facts, ex=round(DEAD_SECONDS))
                await pipe.execute()

    async def _reconcile(self, leases: Leases, client: Client) -> None:
        """One worker at a time mends what no single act can."""
        with store_faults():
            holder = await client.set(keys.RECONCILER, self._name, nx=True, ex=round(RECONCILE_SECONDS) - 1)
        if holder and (mended := await leases.reconcile()):
            log.warning("queue mended", things=mended)
        if holder:
            for name in (keys.JOBS, keys.DEAD_LETTERS):
                await Index(client, name).sweep()

    async def _relay(self, events: Events) -> None:
        """Deliver the events that jobs have sent, their own worker's at once, those of a dead one soon."""
        while True:
            self._sent.clear()
            with suppress(StoreUnavailable, StorageFull):
                if await events.relay():
                    continue
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._sent.wait()

    async def _show_life(self, keeper: LeaseKeeper) -> None:
        while True:
            keeper.loop_is_alive()
            await asyncio.sleep(PAUSE_SECONDS)


async def _forever(seconds: float, act: Callable[[], Awaitable[Any]]) -> None:
    while True:
        with suppress(StoreUnavailable, StorageFull):
            await act()
        await asyncio.sleep(seconds)


@asynccontextmanager
async def _cancelled_after(*companions: Awaitable[None]) -> AsyncIterator[None]:
    """Run the companions beside the block, and not longer."""
    tasks = [asyncio.ensure_future(companion) for companion in companions]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
