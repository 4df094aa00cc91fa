"""How long a client waits, and for what; the clock is the test's."""

import pytest

from jobstream.client import Pace, Unavailable, Unreachable
from jobstream.client.patience import Patience
from jobstream.client.way import Way

PACE = Pace(stream_again=30.0, stream_again_most=100.0, away=120.0)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def blocked(way: Way) -> None:
    """Two streams brought nothing, and a poll was answered."""
    way.stream_was_barren()
    way.stream_was_barren()
    way.poll_got_through()


def test_one_barren_stream_is_no_reason_to_poll(clock: Clock) -> None:
    way = Way(PACE, clock)

    way.stream_was_barren()

    assert way.streams


def test_streams_are_tried_again_after_times_that_grow(clock: Clock) -> None:
    way = Way(PACE, clock)
    blocked(way)
    waited = []
    for _ in range(4):
        began = clock.now
        while not way.streams:
            clock.go_on(1)
        waited.append(clock.now - began)
        way.stream_was_barren()
        way.poll_got_through()

    assert waited == [30, 60, 100, 100]


def test_a_stream_that_gets_through_ends_the_polling(clock: Clock) -> None:
    way = Way(PACE, clock)
    blocked(way)

    way.stream_got_through()

    assert way.streams
    assert way.silence_seconds == PACE.silence


def test_where_no_poll_gets_through_either_streams_are_tried_at_once(clock: Clock) -> None:
    way = Way(PACE, clock)
    blocked(way)

    way.poll_broke()

    assert way.streams


def test_a_service_is_given_up_when_it_was_away_too_long(clock: Clock) -> None:
    patience = Patience(None, PACE, clock)
    patience.come_back(OSError("no route"))
    clock.go_on(PACE.away)
    patience.come_back(OSError("no route"))
    patience.check()

    clock.go_on(1)

    with pytest.raises(Unreachable, match="no route"):
        patience.check()


def test_a_service_that_is_busy_too_long_is_told_as_such(clock: Clock) -> None:
    patience = Patience(None, PACE, clock)
    patience.come_back(Unavailable("Too many: Come back later.", status=429))

    clock.go_on(PACE.away + 1)

    with pytest.raises(Unavailable):
        patience.check()


def test_a_reader_who_dawdles_has_not_lost_the_service(clock: Clock) -> None:
    """What counts is the time since the first failure, not since the last update."""
    patience = Patience(None, PACE, clock)
    patience.got_on()
    clock.go_on(10 * PACE.away)

    patience.come_back(OSError("cut"))

    assert patience.check() is None


def test_the_pauses_grow_with_each_failure_until_something_is_heard(clock: Clock) -> None:
    patience = Patience(None, PACE, clock)
    pauses = []
    for _ in range(9):
        patience.come_back(OSError())
        pauses.append(patience.take_pause())
    patience.got_on()
    patience.come_back(OSError())

    assert all(
        low < high for low, high in zip(pauses[::2], pauses[2::2], strict=False) if low < PACE.back_off_most / 2
    )
    assert max(pauses) <= PACE.back_off_most
    assert patience.take_pause() <= 2 * PACE.back_off
