"""How long a provider may keep us waiting, and how much it may send."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of one answer. Any byte is a sign of life, so that a model may think while its provider sends
    keep-alives, but not for ever."""

    connect_seconds: float = 5
    first_byte_seconds: float = 30
    idle_seconds: float = 60
    """Between two bytes."""
    event_seconds: float = 5 * 60
    """Between two events that mean something to the SDK, and until the first."""
    tail_seconds: float = 1
    """After the terminal marker, for the connection to become free for another question."""
    answer_bytes: int = 64 * 1024 * 1024
    """Of the whole response, since the SDKs buffer a line of any length."""


DEFAULT_LIMITS = Limits()
