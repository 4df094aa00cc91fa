"""How an attempt can end, as a value; and which exception means which."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from pydantic import JsonValue, ValidationError

from jobs.errors import (
    AnswerFailed,
    Corrupt,
    DoNotRetry,
    IntegrityError,
    JobError,
    LeaseLost,
    ResultTooLarge,
    RetryAfter,
    StepRepeated,
)
from jobs.leases import Claim
from jobs.model import Failure

JITTER = 0.2

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Done:
    """The kind returned its result."""

    result: JsonValue


@dataclass(frozen=True)
class TryAgain:
    """The attempt failed, and another follows after `delay_seconds`."""

    failure: Failure
    delay_seconds: float


@dataclass(frozen=True)
class GaveUp:
    """The run failed for good."""

    failure: Failure


@dataclass(frozen=True)
class Cancelled:
    """Somebody asked for the end of the job."""


@dataclass(frozen=True)
class HandedBack:
    """This worker stops; the job goes on elsewhere with the same attempt."""


@dataclass(frozen=True)
class Suspended:
    """The job waits without a worker: until a moment of the store's clock, or for its children where that is None."""

    until_us: int | None


class Suspension(BaseException):
    """Unwinds a job that goes to sleep; no kind is to catch it, so it is no Exception."""

    def __init__(self, until_us: int | None) -> None:
        super().__init__()
        self.until_us = until_us


@dataclass(frozen=True)
class Lost:
    """Another worker holds the job; there is nothing left to say."""


Outcome = Done | TryAgain | GaveUp | Cancelled | HandedBack | Suspended | Lost

_FINAL = (Corrupt, DoNotRetry, StepRepeated, ResultTooLarge)


def outcome_of(error: BaseException, claim: Claim, back_off_seconds: Sequence[float]) -> Outcome:
    """What the error that ended an attempt means for its job; `back_off_seconds` as its kind has it."""
    error = _cause(error)
    pause = _pause(claim.attempt, back_off_seconds)
    match error:
        case LeaseLost():
            return Lost()
        case Suspension():
            return Suspended(error.until_us)
        case ValidationError():
            return GaveUp(failure("invalid-output", "What the job made does not fit its model.", retryable=False))
        case JobError() if isinstance(error, _FINAL):
            return GaveUp(failure_of(error, retryable=False))
        case AnswerFailed() if not error.retryable:
            return GaveUp(failure_of(error, retryable=False))
        case AnswerFailed():
            return _again(claim, failure_of(error, retryable=True), max(pause, error.wait_seconds))
        case RetryAfter():
            return _again(claim, failure_of(error, retryable=True), max(pause, error.delay))
        case JobError():
            return _again(claim, failure_of(error, retryable=True), pause)
        case TimeoutError():
            return _again(
                claim, failure("timeout", "The job took longer than its kind allows.", retryable=True), pause
            )
    log.warning("job attempt met a fault", error=type(error).__name__, exc_info=error)
    return _again(claim, failure("internal-error", "The job met an unexpected fault.", retryable=True), pause)


def failure_of(error: JobError, *, retryable: bool) -> Failure:
    """The error as clients see it."""
    return failure(error.code, error.detail, retryable=retryable, title=error.title)


def failure(code: str, detail: str, *, retryable: bool, title: str = "The job failed") -> Failure:
    return Failure(type=code, title=title, detail=detail, retryable=retryable)


def _again(claim: Claim, why: Failure, delay_seconds: float) -> Outcome:
    if claim.attempt < claim.max_attempts:
        return TryAgain(why, delay_seconds)
    if claim.max_attempts == 1:
        return GaveUp(why)
    detail = f"All {claim.max_attempts} attempts failed; the last one: {why.detail}"
    return GaveUp(failure("retries-exhausted", detail, retryable=False, title="All attempts failed"))


def _pause(attempt: int, back_off_seconds: Sequence[float]) -> float:
    seconds = back_off_seconds[min(attempt, len(back_off_seconds)) - 1]
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # spreads load, guards nothing


def _cause(error: BaseException) -> BaseException:
    """The error that counts, where a task group brings several: the one that ends the job's hold first. Contents that
    cannot be opened are as good as none."""
    while isinstance(error, BaseExceptionGroup):
        group = error.subgroup((LeaseLost, Suspension)) or error
        error = group.exceptions[0]
    return Corrupt(error.detail) if isinstance(error, IntegrityError) else error
