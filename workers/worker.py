"""The arq worker whose loop is ours: a bell wakes it, a lease guards what it took, a signal hands it all back."""

import asyncio
import inspect
import os
import secrets
import signal
import socket
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

import structlog
import uvloop
from arq.worker import Worker

from jobs import clock
from jobs.connection import Client, connect
from jobs.encryption import UNSEALED
from jobs.errors import StorageFull, StoreUnavailable
from jobs.leases import Claim, Leases
from jobs.log import Log
from jobs.model import JobId
from jobs.roll import Roll
from workers.companions import (
    PAUSE_SECONDS,
    RECONCILE_SECONDS,
    beside,
    every,
    hear_bell,
    hear_cancels,
    reconcile,
    relay,
)
from workers.lease import LeaseKeeper
from workers.runner import STOP_SECONDS, Runner, Running, Stop

IDLE_SECONDS = 1.0
"""How long the queue goes unasked when no bell rings: a bell may have been lost with its connection."""

SIGN_SECONDS = 5.0
SWEEP_SECONDS = 5.0
CRON_SECONDS = 1.0

LEAVE_SECONDS = STOP_SECONDS + 1.0
"""How long a worker that was told to stop waits for its jobs; what the store did not take by then is left to the
leases."""

FAREWELL_SECONDS = 1.0

log = structlog.get_logger(__name__)


class JobWorker(Worker):
    """Runs the jobs of one queue, `max_jobs` at a time; arq supplies settings, command line and signals.

    `ctx` brings the parts: `open_url` gives an async context manager of the store's URL, `open_runner` one of the
    Runner for a client, `cron`, `events` and `courier` the Cron, Events and Courier of a client; `lease_seconds` is a
    number.
    `sealer` seals what jobs leave in the store; without one, it is left as it is."""

    __signature__ = inspect.signature(Worker)  # arq asks which options there are

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """As arq's, which takes the event loop that there is; where none runs it finds uvloop's, the cheaper one."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asyncio.set_event_loop(uvloop.new_event_loop())
        super().__init__(*arguments, **options)

    async def main(self) -> None:
        """Claim and run jobs until a signal; then hand back what is unfinished."""
        self._running: dict[JobId, Running] = {}
        self._wake = asyncio.Event()
        self._answered = asyncio.Event()
        self._stopping = asyncio.Event()
        self._sent = asyncio.Event()
        self._claims = 0
        self._works = False
        self._started_at = clock.now()
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(self.ctx["open_url"]())
            client = await stack.enter_async_context(connect(url, sealer=self.ctx.get("sealer", UNSEALED)))
            runner = await stack.enter_async_context(self.ctx["open_runner"](client))
            await self._work(url, client, runner)

    def handle_sig(self, signum: signal.Signals) -> None:
        """Stop claiming, hand every job back, end."""
        log.info("worker stops", signal=signum.name)
        if not self.stop() and self.main_task is not None:
            self.main_task.cancel()  # before it began to work, or a second signal

    def stop(self) -> bool:
        """Begin to stop; False if it does so already, or has not begun to work and stops when it would begin."""
        if not hasattr(self, "_stopping") or self._stopping.is_set():
            return False
        self._stopped_at = asyncio.get_running_loop().time()
        self._stopping.set()
        self._wake.set()
        return self._works

    async def close(self) -> None:
        """Nothing is left open: `main` closes what it opened."""

    async def _work(self, url: str, client: Client, runner: Runner) -> None:
        leases = Leases(client, lease_seconds=self.ctx["lease_seconds"])
        roll = Roll(client)
        loop = asyncio.get_running_loop()
        keeper = LeaseKeeper(
            url,
            lease_seconds=self.ctx["lease_seconds"],
            tell=lambda jobs, why: loop.call_soon_threadsafe(self._stop, jobs, why),
        )
        self._works = True
        log.info("worker ready", worker=self._name, slots=self.max_jobs)
        with keeper.running():
            async with beside(
                bell=partial(hear_bell, url, wanted=self._has_room, answer=self._answer),
                cancels=partial(hear_cancels, url, lambda job_id: self._stop([job_id], Stop.CANCELLED)),
                roll=partial(every, SIGN_SECONDS, partial(self._sign, roll)),
                sweep=partial(every, SWEEP_SECONDS, Log(client).trim_ended),
                reconcile=partial(every, RECONCILE_SECONDS, partial(reconcile, client, leases, name=self._name)),
                cron=partial(every, CRON_SECONDS, self.ctx["cron"](client).tick),
                relay=partial(relay, self.ctx["events"](client), sent=self._sent, idle_seconds=IDLE_SECONDS),
                courier=self.ctx["courier"](client).work,
                life=partial(self._show_life, keeper),
            ):
                await self._run_jobs(leases, runner, keeper)
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await roll.leave(self._name)

    async def _run_jobs(self, leases: Leases, runner: Runner, keeper: LeaseKeeper) -> None:
        """Claim and run until told to stop, and return when every job is handed back, or cannot be."""
        try:
            async with asyncio.timeout(None) as leaving, asyncio.TaskGroup() as jobs:
                await self._claim_until_stopped(leases, runner, keeper, jobs)
                leaving.reschedule(self._stopped_at + LEAVE_SECONDS)
                self._stop([*self._running], Stop.SHUTDOWN)
        except TimeoutError:
            log.warning("jobs left to their leases: they did not stop, or the store did not take it, in time")

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

    def _has_room(self) -> bool:
        return len(self._running) < self.max_jobs

    async def _answer(self) -> None:
        """Take all that there is to take before the next ring is listened for."""
        self._answered.clear()
        self._wake.set()
        await self._answered.wait()

    async def _sign(self, roll: Roll) -> None:
        facts = {"slots": self.max_jobs, "running": len(self._running), "started_at": self._started_at}
        await roll.sign(self._name, facts)

    async def _show_life(self, keeper: LeaseKeeper) -> None:
        while True:
            keeper.loop_is_alive()
            await asyncio.sleep(PAUSE_SECONDS)
