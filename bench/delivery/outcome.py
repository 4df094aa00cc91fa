"""What became of the updates of one run, and what that took."""

from dataclasses import dataclass

DISTURBED = 0.05


@dataclass(frozen=True)
class Outcome:
    """What became of the updates of one run; times in milliseconds, and what took how much of a core."""

    rate: float
    seconds: float
    expected: int
    received: int
    doubled: int
    reordered: int
    jumped: int
    p50: float
    p99: float
    worst: float
    server_cpu_seconds: float
    server_waited_seconds: float
    readers_cpu_seconds: float
    publisher_cpu_seconds: float
    store_cpu_seconds: float
    sent_seconds: float
    settled: bool
    """Whether nothing was under way any more when it was looked at last."""

    @property
    def lost(self) -> int:
        """Deliveries that never came, nor a snapshot in their place."""
        return self.expected - self.received - self.jumped if self.settled else 0

    @property
    def wrong(self) -> int:
        """How many deliveries were not as they must be."""
        return self.lost + self.doubled + self.reordered

    @property
    def server_share(self) -> float:
        """How much of its core the server took while updates were sent."""
        return self.server_cpu_seconds / self.sent_seconds

    @property
    def per_cpu_second(self) -> float:
        """Deliveries of a second of the server's processor time: what it could do if nothing else was the bound."""
        return self.received / max(self.server_cpu_seconds, 1e-9)

    @property
    def disturbed(self) -> bool:
        """Whether somebody else had a good part of the server's core."""
        return self.server_waited_seconds > DISTURBED * self.sent_seconds

    @property
    def kept_up(self) -> bool:
        """Whether the updates were sent at their rate."""
        return self.sent_seconds < 1.05 * self.seconds + 0.1

    def __str__(self) -> str:
        wrong = f", lost {self.lost}, doubled {self.doubled}, reordered {self.reordered}" if self.wrong else ""
        jumped = f", {self.jumped} told by snapshots" if self.jumped else ""
        return (
            f"{self.rate:,.0f}/s: p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms{wrong}{jumped}; of a core: server "
            f"{self.server_share:.0%}, readers {self.readers_cpu_seconds / self.sent_seconds:.0%}, "
            f"publisher {self.publisher_cpu_seconds / self.sent_seconds:.0%}, "
            f"store {self.store_cpu_seconds / self.sent_seconds:.0%}"
            f"{f', disturbed {self.server_waited_seconds / self.sent_seconds:.0%}' if self.disturbed else ''}"
            f"{'' if self.kept_up else ', could not be sent at this rate'}"
        )
