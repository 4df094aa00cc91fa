"""One answer of the service, and what it means for who asked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import ValidationError

from jobstream.client.errors import (
    NotFound,
    NotUnderstood,
    Problem,
    RequestRefused,
    Unauthorized,
    Unavailable,
)

Result = TypeVar("Result")

MOST_BYTES = 256 << 20
"""The largest answer: a snapshot with every text of its job, however it is escaped."""

TRANSIENT = frozenset({408, 429, 502, 503, 504})


@dataclass
class Answer:
    """An answer while it comes in; `headers` are asked without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytearray = field(default_factory=bytearray)

    def take(self, chunk: bytes) -> None:
        """Keep a piece of the body; NotUnderstood for one that nobody means."""
        self.body += chunk
        if len(self.body) > MOST_BYTES:
            raise NotUnderstood(f"The answer has more than {MOST_BYTES} bytes.", status=self.status)

    @property
    def refused(self) -> bool:
        """Whether it is none of the good ones; a redirection is not followed, since it would carry the credential."""
        return self.status >= 300 and self.status != 304

    @property
    def transient(self) -> bool:
        """Whether the same request may be answered well a moment later."""
        return is_transient(self.status)

    @property
    def streams(self) -> bool:
        """Whether it is a stream of server-sent events."""
        return self.status == 200 and self.headers.get("content-type", "").startswith("text/event-stream")

    @property
    def retry_after_seconds(self) -> float | None:
        """How long the service asks to be left alone."""
        seconds = self.headers.get("retry-after", "")
        return float(seconds) if seconds.isascii() and seconds.isdigit() else None

    @property
    def problem(self) -> Problem | None:
        """What the service says of its refusal; None for an answer of somebody else, such as a proxy."""
        try:
            return Problem.model_validate_json(bytes(self.body))
        except ValidationError:
            return None

    def read(self, reader: Callable[[bytes], Result]) -> Result:
        """What the reader makes of the body; NotUnderstood where it can't."""
        try:
            return reader(bytes(self.body))
        except ValidationError as error:
            raise self.not_understood("The answer is none of a Jobstream service.") from error

    def refusal(self) -> RequestRefused:
        """The refusal, as an error."""
        return refusal(self.status, self.problem, self.body.decode(errors="replace"))

    def not_understood(self, what: str) -> NotUnderstood:
        """The answer as the error that it is none."""
        return NotUnderstood(what, status=self.status, body=self.body.decode(errors="replace"))


def is_transient(status: int) -> bool:
    """Whether the same request may be answered well a moment later."""
    return status in TRANSIENT


def refusal(status: int, problem: Problem | None, body: str) -> RequestRefused:
    """A refusal as the error that its status stands for, in the service's own words where they are its."""
    sentence = f"{problem.title}: {problem.detail}" if problem else f"The service answers {status}."
    error = _error_of(status)
    return error(sentence, status=status, body=body, problem=problem)


def _error_of(status: int) -> type[RequestRefused]:
    match status:
        case 401:
            return Unauthorized
        case 404:
            return NotFound
        case _ if is_transient(status):
            return Unavailable
    return RequestRefused
