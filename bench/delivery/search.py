"""The search for the highest rate that a server keeps up with: up while it does, else down, then between."""

import math
from dataclasses import dataclass

UP = 1.6
DOWN = 2.0
CLOSE = 1.25
"""The rate that passed and the one that did not are as close as the noise of the machine allows to tell."""


LONGER_STEPS = 5


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

    def take(self, *, passed: bool, busy: bool) -> None:
        """Learn how the rate was kept up with, and choose the next one; `busy`: the server's core was."""
        self.steps_left -= 1
        if passed:
            self.passed = max(self.passed, self.rate)
        elif self.rate < self.failed:
            self.failed, self.bound_elsewhere = self.rate, not busy
        if math.isinf(self.failed):
            self.rate = UP * self.passed
        elif self.passed:
            self.rate = math.sqrt(self.passed * self.failed)
        else:
            self.rate = self.failed / DOWN
