"""Times as the protocol writes them: RFC 3339, UTC, milliseconds."""

from datetime import UTC, datetime, timedelta

MICROSECONDS = 1_000_000


def stamp(moment: datetime) -> str:
    """The moment as the wire writes it: `2026-11-21T22:33:05.123Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def now() -> str:
    """This process's clock as the wire writes it."""
    return stamp(datetime.now(UTC))


def in_seconds(seconds: float) -> str:
    """When so many seconds will have passed, by this process's clock, as the wire writes it."""
    return stamp(datetime.now(UTC) + timedelta(seconds=seconds))


def from_microseconds(us: int) -> str:
    """A reading of the store's clock as the wire writes it."""
    return stamp(datetime.fromtimestamp(us / MICROSECONDS, UTC))


def to_microseconds(text: str) -> int:
    """The microseconds since the epoch that a stamp means."""
    return round(datetime.fromisoformat(text).timestamp() * MICROSECONDS)
