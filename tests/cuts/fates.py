"""What becomes of connections: when they break, and how, as told by a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum


class Side(Enum):
    """Who is being heard when the connection breaks."""

    CLIENT = "client"
    SERVER = "server"


class Break(Enum):
    """How a connection breaks."""

    RESET = "reset"
    HALF_CLOSED = "half-closed"


@dataclass(frozen=True)
class Fate:
    """What befalls one connection, once so many bytes of one side have been handed over."""

    side: Side
    after: int
    how: Break
    crumbles: bool


def fates(seed: int, *, longest: int = 40_000) -> Iterator[Fate]:
    """What befalls one connection after the other, always the same for a seed."""
    chance = random.Random(seed)  # a storm must be able to happen again
    while True:
        side = chance.choices([*Side], [1, 9])[0]
        most = 700 if side is Side.CLIENT else chance.choice([60, 3_000, 3_000, longest, longest])
        yield Fate(side, chance.randint(0, most), chance.choice([*Break]), crumbles=chance.random() < 0.2)
