"""An error and what led to it, as logs tell them: where, and of which type; what it says only where that holds
nothing that anybody has given us."""

import traceback

from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

MOST_CHARACTERS = 4000
"""Whole lines only: a secret that is cut would not be recognised."""

MOST_ERRORS = 20
DEEPEST_GROUPS = 5

SPEAKING = (
    *(AttributeError, ImportError, MemoryError, NameError, OSError, RecursionError, TypeError),
    *(BusyLoadingError, RedisConnectionError, RedisTimeoutError),
)
"""Their messages name the code, a file or a place. Others quote what they choked on: a ValueError the text that was
no number, a pipeline's error the whole of the command that failed."""


def told(error: BaseException) -> str:
    """The error with its traceback, after the errors that led to it."""
    kept: list[str] = []
    for line in reversed(_links(error, depth=0)):  # the newest is last
        if kept and len("\n".join(kept)) + len(line) > MOST_CHARACTERS:
            return "\n".join(["...", *reversed(kept)])
        kept.append(line)
    return "\n".join(reversed(kept))


def in_short(error: BaseException) -> str:
    """The error's type, and what it says if it may."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, SPEAKING) else name


def _links(error: BaseException, *, depth: int) -> list[str]:
    chain = [error]
    while (before := _before(chain[-1])) is not None and before not in chain and len(chain) < MOST_ERRORS:
        chain.append(before)
    return [line for link in reversed(chain) for line in _lines(link, depth)]


def _before(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _lines(error: BaseException, depth: int) -> list[str]:
    frames = traceback.format_list(traceback.extract_tb(error.__traceback__))
    lines = [*"".join(frames).splitlines(), in_short(error)]
    if isinstance(error, BaseExceptionGroup) and depth < DEEPEST_GROUPS:
        for each in error.exceptions[:MOST_ERRORS]:
            lines += _links(each, depth=depth + 1)
    return [f"{'  ' * depth}{line}" for line in lines]
