"""How a wait that a provider asks for is read."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from workers.providers.faults import MAX_RETRY_AFTER_SECONDS, refused, retry_after


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "9999999999"}, MAX_RETRY_AFTER_SECONDS),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "Wed, 21 Oct 2999 07:28:00 GMT"}, MAX_RETRY_AFTER_SECONDS),
        ({"retry-after": "Wed, 99 Oct 2999 99:28:00 GMT"}, None),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "1"}, 1),
    ],
)
def test_a_wait_is_read_and_bounded(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


def test_a_date_means_the_time_until_then() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)

    seconds = retry_after({"retry-after": date})

    assert seconds is not None
    assert 30 < seconds <= 60


def test_a_quota_that_is_used_up_is_not_worth_another_try() -> None:
    assert not refused("OpenAI", 429, word="insufficient_quota").retryable
    assert refused("OpenAI", 429, word="rate_limit_exceeded").retryable


@pytest.mark.parametrize("word", ["sk-secret", "AIza1234", "two words", "<b>", "", None, 5, {"a": 1}, "x" * 100])
def test_what_is_not_a_word_is_left_out(word: object) -> None:
    assert refused("OpenAI", 500, word=word).detail == "OpenAI refused the request with status 500."
