"""What an endpoint's answer means for a delivery, and when it is tried again."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx2

from jobs.deliveries import Try
from jobs.kind import DAY_SECONDS

RETRY_SECONDS = (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After which pause a delivery that failed is tried again, on average; three days in all."""

LONGEST_WAIT_SECONDS = DAY_SECONDS
"""What an endpoint may ask for by Retry-After."""


def answered(response: httpx2.Response, *, attempt: int) -> Try:
    """How the try went that was answered so; `attempt` counts those before it."""
    status = response.status_code
    if response.is_success:
        return Try("delivered", status)
    if status == 410:
        return Try("disabled", status, "The endpoint is gone, and is told no more of this job.")
    return failed(f"The endpoint answered {status}.", status=status, attempt=attempt, wait=_asked_to_wait(response))


def failed(error: str, *, attempt: int, status: int | None = None, wait: float = 0.0) -> Try:
    """How a try went that the endpoint did not accept: another follows, while there are any left."""
    if attempt >= len(RETRY_SECONDS):
        return Try("failed", status, error)
    pause = random.uniform(0, 2 * RETRY_SECONDS[attempt])  # noqa: S311  # spreads load, guards nothing
    return Try("pending", status, error, max(pause, min(wait, LONGEST_WAIT_SECONDS)))


def _asked_to_wait(response: httpx2.Response) -> float:
    """How many seconds its Retry-After names, be it a number or a date; 0 without one that can be read."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return 0.0
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
