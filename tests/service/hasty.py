"""An event loop that never waits: its clock jumps to the next timer, so hours pass at once and always alike."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class HastyLoop(asyncio.SelectorEventLoop):
    """Time passes only where nothing is left to do; waiting for what no timer can bring is an error."""

    def __init__(self) -> None:
        super().__init__(_HastySelector(self))
        self.now = 0.0

    def time(self) -> float:
        return self.now


class _HastySelector(selectors.DefaultSelector):
    def __init__(self, loop: HastyLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everybody waits, and nothing will ever come")
        self._loop.now += max(timeout, 0.0)
        return super().select(0)


def run_hastily(main: Coroutine[Any, Any, Result]) -> Result:
    """The coroutine's result, however long it waits."""
    with asyncio.Runner(loop_factory=HastyLoop) as runner:
        return runner.run(main)
