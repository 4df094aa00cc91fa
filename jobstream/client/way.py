"""Which way a job is heard: by a stream, while streams get through; else by polling, and a stream now and then."""

from collections.abc import Callable

from jobstream.client.pace import Pace

BARREN = 2
"""So many streams in a row that brought nothing: something on the way holds them up."""


class Way:
    """What is known of the way to the service."""

    def __init__(self, pace: Pace, clock: Callable[[], float]) -> None:
        self._pace = pace
        self._clock = clock
        self._barren = 0
        self._proven = False
        self._stream_again_at: float | None = None
        self._stream_again_seconds = pace.stream_again

    @property
    def streams(self) -> bool:
        """Whether to try a stream next."""
        if self._barren < BARREN:
            return True
        return self._stream_again_at is not None and self._clock() >= self._stream_again_at

    @property
    def silence_seconds(self) -> float:
        """How long a stream may say nothing."""
        return self._pace.silence if self._proven else self._pace.first

    def stream_got_through(self) -> None:
        """A stream brought something."""
        self._proven = True
        self._barren = 0
        self._stream_again_at = None
        self._stream_again_seconds = self._pace.stream_again

    def stream_was_barren(self) -> None:
        """A stream brought nothing."""
        self._proven = False
        self._barren += 1
        self._stream_again_at = None

    def poll_got_through(self) -> None:
        """A poll was answered: if streams are not, they are tried again after a while, which grows."""
        if self._barren >= BARREN and self._stream_again_at is None:
            self._stream_again_at = self._clock() + self._stream_again_seconds
            self._stream_again_seconds = min(2 * self._stream_again_seconds, self._pace.stream_again_most)

    def poll_broke(self) -> None:
        """No poll gets through either: streams are not to blame."""
        self._barren = 0
