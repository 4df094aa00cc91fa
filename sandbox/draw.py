"""Choices that look random and are always the same."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


def digest(*seed: object) -> str:
    """64 hex digits for this seed, the same in every process and version of Python."""
    return sha256("\x1f".join(map(str, seed)).encode("utf-8", "surrogatepass")).hexdigest()


def number(*seed: object) -> int:
    """A large whole number for this seed."""
    return int(digest(*seed)[:12], 16)


def fraction(*seed: object) -> float:
    """A number of [0, 1) for this seed."""
    return number(*seed) / 16**12


def pick(options: Sequence[T], *seed: object) -> T:
    """One of the options for this seed."""
    return options[number(*seed) % len(options)]


def deal(options: Sequence[T], count: int, *seed: object) -> list[T]:
    """So many of the options in their order, from a start for this seed; they repeat when they run out."""
    start = number(*seed)
    return [options[(start + place) % len(options)] for place in range(count)]
