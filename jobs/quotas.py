"""Quotas: how much of something one caller may take, counted in the store so that all processes share the count."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from jobs.connection import Client, Script

BATCH = 500
"""How many seats one call of the store renews or gives back."""


@dataclass(frozen=True)
class Bucket:
    """So many at once, and so many more each second."""

    name: str
    burst: int
    per_second: float

    @property
    def arguments(self) -> tuple[str, ...]:
        return "bucket", self.name, str(self.burst), str(round(1000 / self.per_second)), ""


@dataclass(frozen=True)
class Window:
    """So many within so many seconds, counted from the first."""

    name: str
    most: int
    seconds: int

    @property
    def arguments(self) -> tuple[str, ...]:
        return "window", self.name, str(self.most), str(self.seconds * 1000), ""


@dataclass(frozen=True)
class Places:
    """So many seats that may be held at the same time."""

    name: str
    most: int


@dataclass(frozen=True)
class Held:
    """A seat that somebody has in a quota."""

    name: str
    holder: str


class Quotas:
    """Every quota of one store; a quota that nobody takes of is no key."""

    def __init__(self, client: Client, *, lease_seconds: float) -> None:
        self._lease_ms = round(lease_seconds * 1000)
        self._take = Script(client, "quota")
        self._keep = Script(client, "quota_keep")
        self._give_back = Script(client, "quota_give_back")

    async def take(self, quotas: Sequence[Bucket | Window]) -> float:
        """Take one of each, or none: 0, or how many seconds it is until there is room."""
        return int(await self._take(*(each for quota in quotas for each in quota.arguments))) / 1000

    async def sit(self, places: Sequence[Places], holder: str) -> bool:
        """Take a seat in each, or in none; whether there was room. It ends with its lease if nobody keeps it."""
        lease = str(self._lease_ms)
        seats = (("seats", place.name, str(place.most), lease, holder) for place in places)
        return int(await self._take(*(each for seat in seats for each in seat))) == 0

    async def keep(self, seats: Iterable[Held]) -> None:
        """Renew the seats' leases."""
        for batch in _batches(seats):
            await self._keep(self._lease_ms, *_flat(batch))

    async def give_back(self, seats: Iterable[Held]) -> None:
        """End the seats; ending one twice changes nothing."""
        for batch in _batches(seats):
            await self._give_back(*_flat(batch))


def _batches(seats: Iterable[Held]) -> Iterable[list[Held]]:
    waiting = iter(seats)
    while batch := list(islice(waiting, BATCH)):
        yield batch


def _flat(seats: list[Held]) -> list[str]:
    return [each for seat in seats for each in (seat.name, seat.holder)]
