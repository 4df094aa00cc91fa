"""The contract of who wants to hear more of a watch than its states."""

from typing import Protocol

from jobstream.client.replies import Update


class Listener(Protocol):
    """Whoever is told of a watch as it happens; what is told comes before the state that it leads to."""

    def heard(self, update: Update) -> None:
        """An update came. A job that was polled comes as a `snapshot` with the reason `poll`."""

    def lost(self, why: Exception) -> None:
        """The service is not heard; the watch comes back by itself."""

    def found(self) -> None:
        """The service is heard again."""


class Nobody:
    """Whom the states are enough."""

    def heard(self, update: Update) -> None:
        pass

    def lost(self, why: Exception) -> None:
        pass

    def found(self) -> None:
        pass


NOBODY = Nobody()
