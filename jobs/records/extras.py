"""What only some installations have: the libraries of an extra, fetched when they are first needed."""

from collections.abc import Iterator
from contextlib import contextmanager

from jobs.errors import ExtraMissing


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Imports of the extra's libraries; ExtraMissing says how to install them."""
    try:
        yield
    except ImportError as error:
        raise ExtraMissing(f"A library is missing here: install jobstream[{name}].") from error
