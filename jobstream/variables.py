"""Variables whose names nobody reads, since somebody mistyped them."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches

from jobstream.client.surroundings import TOKEN, URL
from jobstream.findings import Finding

OURS = "JOBSTREAM_"
CONNECTION = "JOBSTREAM_CONNECTION_"
OWN = frozenset({URL, TOKEN, "JOBSTREAM_SANDBOX_URL", "JOBSTREAM_SANDBOX_PACE"})
"""What the clients and the sandbox read."""

LIKENESS = 0.85


def unread(
    read: Collection[str], *, written: Mapping[str, str | None], inherited: Collection[str]
) -> Iterator[Finding]:
    """Names of ours that nobody reads, in `.env` or inherited; those of others only in `.env`, and only where they
    are nearly one that is read."""
    known = sorted({*read, *OWN})
    for name in sorted({*written, *(name for name in inherited if name.startswith(OURS))} - {*known}):
        near = get_close_matches(name, [*known, CONNECTION], n=1, cutoff=LIKENESS)
        if not name.startswith(CONNECTION) and (near or name.startswith(OURS)):
            place = ".env" if name in written else "the environment"
            mend = f"did you mean {near[0]}?" if near else "see .env.example for those that there are"
            yield Finding(code="variable-unknown", detail=f"Nobody reads {name} in {place}", mend=mend)
