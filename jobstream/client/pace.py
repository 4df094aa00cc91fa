"""How long a client waits: for bytes, between its tries, and for a service that is away."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """The times of a watch, in seconds; the service says something every 15 s."""

    silence: float = 20.0
    """How long a stream may say nothing before it is taken for dead."""

    first: float = 5.0
    """The same where no stream has brought anything yet: the first bytes come at once, or are held up on the way."""

    stream_again: float = 30.0
    """After how long of polling a stream is tried again; twice as long each time, up to `stream_again_most`."""

    stream_again_most: float = 300.0
    back_off: float = 0.25
    back_off_most: float = 10.0

    away: float = 120.0
    """How long the service may not be heard at all before the watch gives up."""


PACE = Pace()


def back_off(failures: int, *, first: float, most: float) -> float:
    """How long to wait after so many failures in a row; spread, so that not all come back at once."""
    seconds: float = min(most, first * 2 ** min(failures, 16))
    return random.uniform(0.5, 1.0) * seconds  # noqa: S311  # spreads load, guards nothing
