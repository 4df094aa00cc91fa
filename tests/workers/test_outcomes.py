"""How an attempt ends: what is tried again and when, what is final, and what clients are told of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydantic import JsonValue, TypeAdapter

from jobs import keys
from jobs.clock import MICROSECONDS, to_microseconds
from jobs.errors import DoNotRetry, RetryAfter
from jobs.kind import Run
from jobs.leases import Claim
from tests.jobs.doors import IDLE, Doors, Nothing
from tests.workers.workshop import Perform, Workshop
from workers.outcomes import TryAgain, outcome_of

BACK_OFF_SECONDS = {1: 5, 2: 10, 3: 30, 4: 60, 5: 60, 15: 60}
JITTER = 0.2


def raising(error: BaseException) -> Perform:
    """A kind's work that always fails like this."""

    async def perform(_run: Run, _input: Nothing) -> JsonValue:
        raise error

    return perform


async def forever(_run: Run, _input: Nothing) -> JsonValue:
    await asyncio.Event().wait()
    return None


@pytest.mark.parametrize(("attempt", "seconds"), BACK_OFF_SECONDS.items())
async def test_the_pause_before_the_next_attempt_grows_and_varies(attempt: int, seconds: int, doors: Doors) -> None:
    """5, 10, 30, then 60 seconds, each a fifth more or less: jobs that failed together do not come back together."""
    claim = await doors.running()

    pauses = [_pause_after(attempt, claim, IDLE.back_off_seconds) for _ in range(50)]

    assert all(seconds * (1 - JITTER) <= pause <= seconds * (1 + JITTER) for pause in pauses)
    assert len(set(pauses)) > 1


async def test_a_kind_may_have_a_schedule_of_its_own(doors: Doors) -> None:
    """Its last pause stands for all further ones."""
    claim = await doors.running()

    assert _pause_after(1, claim, [100, 1000]) <= 100 * (1 + JITTER)
    assert _pause_after(2, claim, [100, 1000]) >= 1000 * (1 - JITTER)
    assert _pause_after(9, claim, [100, 1000]) >= 1000 * (1 - JITTER)


async def test_an_unknown_fault_is_tried_again_until_the_attempts_are_used_up(workshop: Workshop) -> None:
    """While it waits, the job says why it failed; nobody is told what the fault itself said."""
    job_id = await workshop.submit(raising(RuntimeError("a secret")), max_attempts=2)

    waiting = await workshop.attempt()
    assert (waiting["state"], waiting["attempt"]) == ("retrying", 1)
    assert (waiting["error"]["type"], waiting["error"]["retryable"]) == ("internal-error", True)

    ended = await workshop.next_attempt(job_id)
    assert (ended["state"], ended["attempt"]) == ("failed", 2)
    assert (ended["error"]["type"], ended["error"]["retryable"]) == ("retries-exhausted", False)
    assert "a secret" not in str(await workshop.doors.updates(job_id))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DoNotRetry("Never."), "do-not-retry"),
        (ExceptionGroup("both", [DoNotRetry("Never."), DoNotRetry("Ever.")]), "do-not-retry"),
    ],
)
async def test_what_can_not_succeed_is_not_tried_again(error: Exception, code: str, workshop: Workshop) -> None:
    """The first attempt is the last, however many the kind allows."""
    await workshop.submit(raising(error), max_attempts=16)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"], ended["error"]["detail"]) == ("failed", code, "Never.")


async def test_who_asks_for_a_longer_pause_gets_it(workshop: Workshop) -> None:
    """An hour, where the back-off would be seconds."""
    await workshop.submit(raising(RetryAfter("The quota is used up.", delay=3600)))

    waiting = await workshop.attempt()

    pause = to_microseconds(waiting["next_attempt_at"]) - to_microseconds(waiting["started_at"])
    assert pause >= 3599 * MICROSECONDS
    assert waiting["error"]["detail"] == "The quota is used up."


async def test_a_job_that_takes_longer_than_its_kind_allows_is_stopped(workshop: Workshop) -> None:
    """With a single attempt that is its end, and its error says so."""
    await workshop.submit(forever, timeout_seconds=0.05, max_attempts=1)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"]) == ("failed", "timeout")


async def test_the_time_of_an_attempt_goes_on_when_its_worker_is_lost(workshop: Workshop) -> None:
    """The next worker continues the same attempt, so it does not get the whole time again."""
    job_id = await workshop.submit(forever, timeout_seconds=1000, max_attempts=1)
    lost = await workshop.claim()
    began = await workshop.doors.moment(job_id, "attempt_us")
    await workshop.doors.set_moment(job_id, "attempt_us", began - 2000 * MICROSECONDS)
    await workshop.doors.lose(lost.claim)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"]) == ("failed", "timeout")


async def test_an_input_that_does_not_fit_its_kind_fails_the_job_for_good(workshop: Workshop) -> None:
    """What the store holds was changed behind our back: no attempt can mend it."""
    job_id = await workshop.submit(raising(AssertionError("It ran.")))
    await workshop.doors.client.set(keys.payload(job_id), b'["hostile"]', keepttl=True)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"], ended["error"]["retryable"]) == ("failed", "corrupt", False)


async def test_a_kind_that_makes_what_does_not_fit_is_not_blamed_on_its_input(workshop: Workshop) -> None:
    """A ValidationError from inside a kind is about its output; trying again would not help."""

    async def perform(_run: Run, _input: Nothing) -> JsonValue:
        return TypeAdapter(int).validate_python("no number")

    await workshop.submit(perform)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"]) == ("failed", "invalid-output")


async def test_a_kind_that_cancels_itself_has_failed_like_any_other(workshop: Workshop) -> None:
    """Nobody asked for it, so it is neither cancelled nor forgotten."""
    await workshop.submit(raising(asyncio.CancelledError()), max_attempts=1)

    ended = await workshop.attempt()

    assert (ended["state"], ended["error"]["type"]) == ("failed", "internal-error")


async def test_a_reason_that_is_no_unicode_is_told_all_the_same(workshop: Workshop) -> None:
    """A fault may quote what a provider sent: a lone surrogate in it becomes U+FFFD."""
    await workshop.submit(raising(DoNotRetry("It said \ud83d\ude00 and \ud800.")))

    ended = await workshop.attempt()

    assert ended["error"]["detail"] == "It said 😀 and \ufffd."


def _pause_after(attempt: int, claim: Claim, schedule: Sequence[float]) -> float:
    outcome = outcome_of(RuntimeError(), replace(claim, attempt=attempt), schedule)
    assert isinstance(outcome, TryAgain)
    return outcome.delay_seconds
