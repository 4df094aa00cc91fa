"""The `Prefer` header (RFC 7240), as far as it is honoured here; what cannot be read is ignored."""

import re

_WAIT = re.compile(r"^wait\s*=\s*\"?(\d{1,6})\"?$", re.IGNORECASE)


def wait_seconds(header: str | None, *, most: int) -> int | None:
    """The seconds that the caller would wait, at most `most`; None without a readable preference."""
    for preference in (header or "").split(","):
        if found := _WAIT.match(preference.partition(";")[0].strip()):
            return min(int(found[1]), most)
    return None


def wants_status(header: str | None) -> bool:
    """Whether the caller wants real statuses where a stream would soften them."""
    return any(preference.strip().lower() == "status" for preference in (header or "").split(","))
