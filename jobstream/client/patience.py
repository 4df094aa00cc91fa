"""The time that a watch has: until its caller's is over, until the service was away too long, until its next try."""

from collections.abc import Callable

from jobstream.client.errors import RequestRefused, TimedOut, Unreachable
from jobstream.client.listener import NOBODY, Listener
from jobstream.client.pace import Pace, back_off


class Patience:
    """How long a watch still waits, and for what."""

    def __init__(
        self, timeout: float | None, pace: Pace, clock: Callable[[], float], listener: Listener = NOBODY
    ) -> None:
        self._listener = listener
        self._pace = pace
        self._clock = clock
        self._deadline = None if timeout is None else clock() + timeout
        self._failures = 0
        self._trouble: Exception | None = None
        self._away_since: float | None = None
        self._pause_seconds = 0.0

    def check(self) -> float | None:
        """The seconds that are left; None without a bound; TimedOut when none are, or what keeps the service away."""
        now = self._clock()
        if self._deadline is not None and now >= self._deadline:
            raise TimedOut("The time is over; the job goes on, and can be watched again.") from self._trouble
        if self._away_since is not None and now - self._away_since > self._pace.away:
            self._give_up()
        return None if self._deadline is None else self._deadline - now

    def take_pause(self) -> float:
        """How long to wait before the next request; asked once."""
        pause, self._pause_seconds = self._pause_seconds, 0.0
        return pause

    def was_heard(self) -> None:
        """The service is there."""
        if self._trouble is not None:
            self._listener.found()
        self._away_since = self._trouble = None

    def got_on(self) -> None:
        """It told something of the job: the next failure is a first one."""
        self.was_heard()
        self._failures = 0

    def pause(self, seconds: float) -> None:
        """Wait so long before the next request."""
        self._pause_seconds = seconds

    def come_back(self, trouble: Exception, *, asked_seconds: float | None = None) -> None:
        """Wait before the next request, as long as asked, or longer with each failure."""
        self._failures += 1
        self._trouble = trouble
        self._listener.lost(trouble)
        if self._away_since is None:
            self._away_since = self._clock()
        self.pause(
            asked_seconds or back_off(self._failures, first=self._pace.back_off, most=self._pace.back_off_most)
        )

    def _give_up(self) -> None:
        if isinstance(self._trouble, RequestRefused):
            raise self._trouble
        reason = str(self._trouble) or type(self._trouble).__name__
        raise Unreachable(f"The service cannot be heard: {reason}") from self._trouble
