"""The search for the highest rate that a server keeps up with: up while it does, else down, then between."""

import math
from dataclasses import dataclass

UP, LEAP = 2.0, 3.0
DOWN = 2.0
BUSY, HALF_BUSY = 0.85, 0.5
"""A server that takes less of its core has not reached its limit: store, publisher or readers have."""

CLOSE = 1.25
"""The rate that passed and the one that did not are as close as the noise of the machine allows to tell."""


LONGER_STEPS = 3


@dataclass
class Search:
    """What was found so far, and which rate to try next."""

    rate: float
    steps_left: int
    passed: float = 0.0
    failed: float = math.inf
    bound_elsewhere: bool = False
    """Whether the highest that failed did so while the server had time left: then it can do more than was seen."""

    @property
    def over(self) -> bool:
        """Whether no more is to be tried; a rate that passes is looked for a little longer."""
        left = self.steps_left if self.passed else self.steps_left + LONGER_STEPS
        return left <= 0 or self.failed <= CLOSE * self.passed

    def give_up(self) -> None:
        """Try no more."""
        self.steps_left = -LONGER_STEPS

    def take(self, *, passed: bool, share: float) -> None:
        """Learn whether the rate was kept up with, and with what share of its core; choose the next one."""
        self.steps_left -= 1
        if passed:
            self.passed = max(self.passed, self.rate)
        elif self.rate < self.failed:
            self.failed, self.bound_elsewhere = self.rate, share < BUSY
        if math.isinf(self.failed):
            self.rate = self.passed * (UP if share > HALF_BUSY else LEAP)
        elif self.passed:
            self.rate = math.sqrt(self.passed * self.failed)
        else:
            self.rate = self.failed / DOWN
