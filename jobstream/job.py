"""A job as its reader sees it: the fields that a screen or a table asks for, typed."""

import hashlib
from typing import Literal

from pydantic import BaseModel, ConfigDict

from jobstream.fold import utf16_length


class View(BaseModel):
    """A part of what the service tells; fields that it doesn't know are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Failure(View):
    """Why a job or a part failed."""

    type: str
    title: str
    detail: str


class Usage(View):
    """What an answer took: tokens, and US dollars where the price is known."""

    input_tokens: int
    output_tokens: int
    cost: float | None


class Part(View):
    """One provider's answer so far; the times are seconds, known once it ended."""

    state: Literal["pending", "running", "completed", "failed", "cancelled"] = "pending"
    text: str = ""
    model: str | None = None
    error: Failure | None = None
    usage: Usage | None = None
    elapsed: float | None = None
    first_token: float | None = None
    length: int | None = None
    sha256: str | None = None

    @property
    def proven(self) -> bool | None:
        """Whether the text is the whole one that was written, by length and SHA-256; None before that is known."""
        if self.sha256 is None:
            return None
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return (utf16_length(self.text), digest) == (self.length, self.sha256)


class Job(View):
    """One job as of one update."""

    id: str
    state: str
    created_at: str
    started_at: str | None
    parts: dict[str, Part]
    error: Failure | None
