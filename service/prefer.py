"""The `Prefer` header (RFC 7240), as far as it is honoured here; what cannot be read is ignored."""

import re
from collections.abc import Iterator, Sequence

_WAIT = re.compile(r"^wait\s*=\s*\"?0*(\d{1,9})\d*\"?$", re.IGNORECASE)
"""Nine digits are already longer than anybody is held."""


def wait_seconds(lines: Sequence[str] | None, *, most: int) -> int | None:
    """The seconds that the caller would wait, at most `most`; None without a readable preference."""
    for preference in _preferences(lines):
        if found := _WAIT.match(preference):
            return min(int(found[1]), most)
    return None


def wants_status(lines: Sequence[str] | None) -> bool:
    """Whether the caller wants real statuses where a stream would soften them."""
    return any(preference.lower() == "status" for preference in _preferences(lines))


def _preferences(lines: Sequence[str] | None) -> Iterator[str]:
    """Each preference without its parameters, on however many lines they were sent."""
    return (each.partition(";")[0].strip() for line in lines or () for each in line.split(","))
