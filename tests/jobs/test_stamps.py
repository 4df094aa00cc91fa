"""The store writes times as Python does."""

import random
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import cast

from jobs.clock import MICROSECONDS, from_microseconds, to_microseconds
from jobs.connection import Client, script_text

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
EDGES = [
    *(datetime(year, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC) for year in (1972, 2000, 2023, 2024, 2100)),
    *(datetime(year, 2, 29, tzinfo=UTC) for year in (1972, 2000, 2024, 2096)),
    *(datetime(year, 3, 1, tzinfo=UTC) for year in (1999, 2000, 2024, 2100)),
    *(datetime(year, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC) for year in (1999, 2000, 2026, 2099)),
    *(FIRST, datetime(2026, 1, 1, 0, 0, 0, 999, tzinfo=UTC)),
]


async def test_the_store_writes_a_moment_as_python_does(redis: Client) -> None:
    """Leap days, ends of years, and thousands of moments drawn from two centuries."""
    moments = [_microseconds(edge) for edge in EDGES]
    drawn = random.Random(20261121)
    moments += [drawn.randrange(_microseconds(FIRST), _microseconds(LAST)) for _ in range(5000)]
    stamp_each = script_text("lib") + "for i = 1, #ARGV do ARGV[i] = stamp(tonumber(ARGV[i])) end return ARGV"

    answer = await cast("Awaitable[list[bytes]]", redis.eval(stamp_each, 0, *map(str, moments)))

    stamps = [stamp.decode() for stamp in answer]

    assert stamps == [from_microseconds(moment) for moment in moments]
    assert [to_microseconds(stamp) for stamp in stamps] == [moment // 1000 * 1000 for moment in moments]


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * MICROSECONDS + moment.microsecond
