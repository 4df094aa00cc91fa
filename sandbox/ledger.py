"""How often each provider was asked what: tests read it, and faults that end count by it."""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256

from sandbox.question import Provider, Question

_MOST_ENTRIES = 10_000


@dataclass(frozen=True)
class Asked:
    """The same prompt, asked of the same model."""

    provider: Provider
    model: str
    prompt_sha256: str


class Ledger:
    """Counts of requests, in memory; the ones longest ago make room for new ones."""

    def __init__(self) -> None:
        self._counts = OrderedDict[Asked, int]()

    def count(self, question: Question) -> int:
        """Enter a request; which one it is, from 1, of this model and prompt."""
        prompt = sha256(question.asked.text.encode()).hexdigest()
        asked = Asked(question.provider, question.model, prompt)
        nth = self._counts[asked] = self._counts.pop(asked, 0) + 1
        if len(self._counts) > _MOST_ENTRIES:
            self._counts.popitem(last=False)
        return nth

    def entries(self) -> list[tuple[Asked, int]]:
        """Every count, the latest request last."""
        return list(self._counts.items())

    def clear(self) -> None:
        """Forget all counts; faults that end begin again."""
        self._counts.clear()
