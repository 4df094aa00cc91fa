"""What an exchange makes of its wire's mistakes, which are ours and not the provider's."""

from collections.abc import AsyncIterator

import pytest

from jobs.kind import Question
from tests.providers.asking import ask
from workers.provider import Finish, ProviderError
from workers.providers.exchange import Exchange, Reading
from workers.providers.limits import DEFAULT_LIMITS


class Understanding:
    """Understands nothing, or fails to."""

    def __init__(self, mistake: Exception | None) -> None:
        self.finish: Finish | None = None
        self._mistake = mistake

    def read(self, _event: object) -> str:
        """Nothing, or the mistake."""
        if self._mistake:
            raise self._mistake
        return ""


class MistakenWire:
    """A wire that has a mistake where it asks, or where it reads."""

    title = "Nobody"

    def __init__(self, *, asking: Exception | None = None, reading: Exception | None = None) -> None:
        self._asking = asking
        self._reading = reading

    async def ask(self, _question: Question, _model: str) -> AsyncIterator[object]:
        """One event."""
        if self._asking:
            raise self._asking
        return self._events()

    async def _events(self) -> AsyncIterator[object]:
        yield {}

    def reading(self, _model: str) -> Reading:
        """What has the mistake."""
        return Understanding(self._reading)

    def fault(self, _error: Exception) -> ProviderError | None:
        """Not the SDK's."""
        return None


@pytest.mark.parametrize(
    "wire", [MistakenWire(asking=TypeError("ours")), MistakenWire(reading=TypeError("ours"))], ids=["ask", "read"]
)
async def test_a_mistake_of_ours_is_not_blamed_on_the_provider(wire: MistakenWire) -> None:
    with pytest.raises(TypeError, match="ours"):
        await anext(Exchange(wire, ask(), "m", DEFAULT_LIMITS).pieces())
