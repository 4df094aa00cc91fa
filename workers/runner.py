"""Running one claimed job: perform it, then settle what became of it."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, assert_never

import structlog
from pydantic import BaseModel, JsonValue, ValidationError

from jobs.errors import Corrupt, JobEnded, LeaseLost, ResultTooLarge, StoreUnavailable
from jobs.kind import AnyKind
from jobs.leases import Claim, Leases
from jobs.log import Line
from jobs.model import Failure, State
from jobs.updates import json_line, one_line
from workers import spans
from workers.outcomes import Cancelled, Done, GaveUp, HandedBack, Lost, Outcome, Suspended, TryAgain, outcome_of
from workers.run import JobRun, Tools
from workers.writer import Writer, patiently

LAST_WRITE_SECONDS = 1.0
"""How long a job that is handed back may wait for the store to take what was on its way; it may be full."""

STOP_SECONDS = 8.0
"""How long a kind that was told to stop may take; then its job is settled without it."""

log = structlog.get_logger(__name__)


class Stop(StrEnum):
    """Why a running job is told to stop."""

    CANCELLED = "cancelled"
    SHUTDOWN = "shutdown"
    LOST = "lost"


_STOPPED: Mapping[Stop, Outcome] = {
    Stop.CANCELLED: Cancelled(),
    Stop.SHUTDOWN: HandedBack(),
    Stop.LOST: Lost(),
}


@dataclass
class Running:
    """One job in progress here: its claim, and the way to stop it."""

    claim: Claim
    stopping: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    why: Stop | None = None

    def stop(self, why: Stop) -> None:
        """Tell the job to stop; the first reason counts."""
        if self.why is None or why is Stop.LOST:
            self.why = why
            if not self.stopping.done():
                self.stopping.set_result(None)


class Runner:
    """Runs claimed jobs of the kinds that it knows, and says in their logs what became of them."""

    def __init__(self, kinds: Mapping[str, AnyKind], tools: Tools, leases: Leases) -> None:
        self._kinds = kinds
        self._tools = tools
        self._leases = leases

    @property
    def kinds(self) -> Iterable[AnyKind]:
        """The kinds that it knows how to run."""
        return self._kinds.values()

    async def run(self, running: Running) -> None:
        """The job's attempt from claim to settlement; never raises for what the job did."""
        claim = running.claim
        with structlog.contextvars.bound_contextvars(
            job_id=claim.job_id,
            kind=claim.kind,
            run=claim.run,
            attempt=claim.attempt,
            request_id=claim.request_id or None,
        ):
            log.info("job claimed", waited_seconds=claim.waited_seconds)
            began = time.monotonic()
            self._tools.witness.claimed(claim)
            with spans.attempt(self._tools.tracer, claim) as span:
                outcome = await self._live(running)
                spans.ended(span, outcome)
            seconds = time.monotonic() - began
            self._tools.witness.settled(claim, outcome, seconds)
            error = outcome.failure.type if isinstance(outcome, GaveUp | TryAgain) else None
            log.info("job attempt ended", outcome=type(outcome).__name__, error=error, seconds=round(seconds, 3))

    async def _live(self, running: Running) -> Outcome:
        """What became of the attempt, once that is said."""
        run = JobRun(running.claim, self._tools)
        outcome = await self._perform(run, running)
        try:
            await self._settle(running.claim, run.writer, outcome)
        except (LeaseLost, JobEnded):
            return Lost()
        return outcome

    async def _perform(self, run: JobRun, running: Running) -> Outcome:
        performing = asyncio.create_task(self._result(run, running.claim))
        either: tuple[asyncio.Future[Any], ...] = performing, running.stopping
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not performing.done():
                performing.cancel()
                await asyncio.wait({performing}, timeout=STOP_SECONDS)
        finally:
            performing.cancel()
        return self._outcome(performing, running)

    async def _result(self, run: JobRun, claim: Claim) -> JsonValue:
        kind = self._kinds[claim.kind]
        left = None if kind.timeout_seconds is None else kind.timeout_seconds - claim.attempt_seconds
        async with asyncio.timeout(left), asyncio.TaskGroup() as tasks:
            gathering = tasks.create_task(run.writer.gather())
            result = await kind.perform(run, _input(kind, claim))
            gathering.cancel()
        if len(json_line(result)) > kind.result_limit:
            raise ResultTooLarge(f"The result is over {kind.result_limit} bytes, the limit of its kind.")
        return result

    def _outcome(self, performing: asyncio.Task[JsonValue], running: Running) -> Outcome:
        try:
            return Done(performing.result())
        except BaseException as error:  # noqa: BLE001  # a kind may also end by a cancellation of its own making
            if running.why:
                return _STOPPED[running.why]  # what fails on the way out is no failed attempt
            return outcome_of(error, running.claim, self._kinds[running.claim.kind].back_off_seconds)

    async def _settle(self, claim: Claim, writer: Writer, outcome: Outcome) -> None:
        match outcome:
            case Done(result=result):
                await writer.write(_end(State.COMPLETED, result=json_line(result)))
            case GaveUp(failure=failure):
                await writer.write(_end(State.FAILED, failure=failure))
            case Cancelled():
                await writer.write(_end(State.CANCELLED))
            case TryAgain(failure=failure, delay_seconds=delay):
                await writer.write()
                await patiently(partial(self._leases.postpone, claim, delay_seconds=delay, error=failure))
            case HandedBack():
                with suppress(TimeoutError):
                    async with asyncio.timeout(LAST_WRITE_SECONDS):
                        await writer.write()  # a step's result may have been on its way
                await self._hand_back(claim)
            case Suspended(until_us=until_us):
                await writer.write()
                await patiently(partial(self._leases.suspend, claim, until_us=until_us))
            case Lost():
                pass
            case _:
                assert_never(outcome)

    async def _hand_back(self, claim: Claim) -> None:
        """Asked for twice: the connection that all calls share may be all that was lost with the first."""
        try:
            await self._leases.release(claim)
        except StoreUnavailable:
            await self._leases.release(claim)


def _input(kind: AnyKind, claim: Claim) -> BaseModel:
    if not claim.readable:
        raise Corrupt("What earlier attempts left of the job cannot be read.")
    try:
        # A newer version may have taken a field that this one has not heard of.
        given: BaseModel = kind.input.model_validate_json(claim.input, extra="ignore")
    except ValidationError as error:
        raise Corrupt("The stored input does not fit its kind.") from error
    return given


def _end(state: State, *, result: bytes = b"", failure: Failure | None = None) -> Line:
    error = one_line(failure.model_dump_json().encode()) if failure else b""
    slug, title = (failure.type, failure.title.encode()) if failure else ("", b"")
    return Line("end", body=title, name=slug, head=state, value=result, text=error)
