"""When each of many things is due, to within a tick: one timer serves all of them."""

from typing import Generic, Protocol, TypeVar

TICK_SECONDS = 0.1


class Timed(Protocol):
    """What stands in a wheel; `tick` is the wheel's own, and 0 outside of it."""

    tick: int


Item = TypeVar("Item", bound=Timed)


class Wheel(Generic[Item]):
    """Items by the tick at which each is due; each stands in it once."""

    def __init__(self, now: float) -> None:
        self._turned = int(now / TICK_SECONDS)
        self._slots: dict[int, set[Item]] = {}

    def put(self, item: Item, at: float) -> None:
        """Have the item due then, and not when it was before."""
        self.drop(item)
        if at != float("inf"):
            item.tick = max(int(at / TICK_SECONDS), self._turned) + 1
            self._slots.setdefault(item.tick, set()).add(item)

    def drop(self, item: Item) -> None:
        """Have it due no more."""
        if item.tick:
            slot = self._slots[item.tick]
            slot.discard(item)
            if not slot:
                del self._slots[item.tick]
            item.tick = 0

    def turn(self, now: float) -> list[Item]:
        """What has fallen due since it was turned last; it stands in the wheel no more."""
        found: list[Item] = []
        before, self._turned = self._turned, int(now / TICK_SECONDS)
        for tick in range(before + 1, self._turned + 1):
            for item in self._slots.pop(tick, ()):
                item.tick = 0
                found.append(item)
        return found
