"""The contract of a provider: a question goes in, pieces of text come out, and one Finish says that they are all."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from jobs.errors import JobError
from jobs.kind import Call, Question


@dataclass(frozen=True)
class Text:
    """The next words of the answer."""

    text: str


@dataclass(frozen=True)
class Finish:
    """The answer is complete: the provider sent its terminal marker. Always the last piece, never missing. `calls`
    are the tools that it asks for."""

    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    calls: tuple[Call, ...] = ()


Piece = Text | Finish


class ProviderError(JobError):
    """The provider gave no complete answer; `retryable` says whether asking again can help, `retry_after` is how many
    seconds the provider asked us to wait, `rate_limited` that it has been asked too often."""

    code: ClassVar[str] = "provider-failed"
    title: ClassVar[str] = "The provider gave no complete answer"

    def __init__(
        self, detail: str, *, retryable: bool, retry_after: float | None = None, rate_limited: bool = False
    ) -> None:
        super().__init__(detail)
        self.retryable = retryable
        self.retry_after = retry_after
        self.rate_limited = rate_limited


class ProviderTruncated(ProviderError):
    """The provider's stream ended before its terminal marker; what came is not a result."""

    code = "provider-truncated"
    title = "The provider's answer was cut off"


class Provider(Protocol):
    """One provider on its real SDK; the SDK and its exceptions are known in that provider's module alone."""

    @property
    def name(self) -> str: ...

    @property
    def default_model(self) -> str: ...

    def stream(self, question: Question) -> AsyncGenerator[Piece, None]:
        """The answer piece by piece, then Finish; ProviderError for every fault. To be closed by its reader."""


class Pricing(Protocol):
    """What tokens cost."""

    def __call__(self, model: str, input_tokens: int, output_tokens: int, /) -> float | None:
        """US dollars, or None where the model's price is not known."""
