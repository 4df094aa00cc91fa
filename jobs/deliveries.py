"""What a delivery is: who is told of the end of which run, what, and how that went so far."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

from jobs import clock
from jobs.contents import Contents
from jobs.encryption import Sealer
from jobs.errors import IntegrityError
from jobs.model import POISON, JobId, JsonObject

MOST_BODY_BYTES = 20_000

Outcome = Literal["delivered", "pending", "failed", "disabled"]


@dataclass(frozen=True)
class Delivery:
    """A delivery that is to be made now: what is told, and where. `host` stands for the endpoint's, `attempt` counts
    the tries before this one, and a `url` that cannot be opened is empty."""

    id: str
    token: str
    job_id: JobId
    run: int
    kind: str
    subject: str | None
    metadata: JsonObject
    state: str
    ended_us: int
    error: JsonObject | None
    host: str
    attempt: int
    url: str

    @property
    def body(self) -> bytes:
        """What is told, the same at each try; metadata that would make it too large is left out."""
        whole = orjson.dumps(self._told(self.metadata))
        return whole if len(whole) <= MOST_BODY_BYTES else orjson.dumps(self._told(None))

    def _told(self, metadata: JsonObject | None) -> JsonObject:
        ended_at = clock.from_microseconds(self.ended_us)
        return {
            "type": f"job.{self.state}",
            "timestamp": ended_at,
            "data": {
                "id": self.job_id,
                "kind": self.kind,
                "state": self.state,
                "run": self.run,
                "subject": self.subject,
                "metadata": metadata,
                "finished_at": ended_at,
                "error": self.error,
                "links": {"self": f"/v1/jobs/{self.job_id}"},
            },
        }


@dataclass(frozen=True)
class Try:
    """How one try of a delivery went; `pending`: the next one is after the delay."""

    outcome: Outcome
    status: int | None = None
    error: str = ""
    delay_seconds: float = 0.0


@dataclass(frozen=True)
class Story:
    """How a delivery goes: `attempt` counts its tries, `at` is when the last one was, or when it was ordered, and the
    query of the `url` is left out."""

    id: str
    job_id: JobId
    url: str
    attempt: int
    state: Outcome
    status: int | None
    error: str | None
    at: str
    next_at: str | None

    @property
    def shown(self) -> JsonObject:
        """The delivery as the log of them has it."""
        return asdict(self)


def delivery_of(sealer: Sealer, delivery_id: str, held: Mapping[bytes, bytes]) -> Delivery:
    """The delivery that the store holds so."""
    job_id, subject = JobId(_text(held, b"job")), _text(held, b"subject") or None
    contents = Contents(sealer, job_id, subject)
    return Delivery(
        id=delivery_id,
        token=_text(held, b"token"),
        job_id=job_id,
        run=int(held[b"run"]),
        kind=_text(held, b"kind"),
        subject=subject,
        metadata=orjson.loads(held[b"metadata"]),
        state=_text(held, b"ended"),
        ended_us=int(held[b"ended_us"]),
        error=_error(contents, held),
        host=_text(held, b"host"),
        attempt=int(held[b"attempt"]),
        url=_opened(contents, "webhook", held[b"url"]),
    )


def story_of(sealer: Sealer, delivery_id: str, held: Mapping[bytes, bytes]) -> Story:
    """How the delivery goes that the store holds so."""
    job_id = JobId(_text(held, b"job"))
    contents = Contents(sealer, job_id, _text(held, b"subject") or None)
    outcome: Any = _text(held, b"state")
    next_ms = _text(held, b"next_ms")
    return Story(
        id=delivery_id,
        job_id=job_id,
        url=_opened(contents, "webhook", held[b"url"]).partition("?")[0],
        attempt=int(held[b"attempt"]),
        state=outcome,
        status=int(_text(held, b"status") or 0) or None,
        error=_text(held, b"error") or None,
        at=clock.from_microseconds(int(held[b"at_us"])),
        next_at=clock.from_microseconds(int(next_ms) * 1000) if next_ms else None,
    )


def _error(contents: Contents, held: Mapping[bytes, bytes]) -> JsonObject | None:
    """Which error it was, and nothing of what it says."""
    slug = _text(held, b"error_type")
    if not slug:
        return None
    title = POISON.title if slug == POISON.type else _opened(contents, "title", held[b"title"])
    return {"type": slug, "title": title or "The job failed"}


def _opened(contents: Contents, field: str, value: bytes) -> str:
    """What was stored in the field; empty where it cannot be opened, since one delivery is not to hold up others."""
    try:
        return contents.open(field, value).decode()
    except IntegrityError:
        return ""


def _text(held: Mapping[bytes, bytes], field: bytes) -> str:
    return held.get(field, b"").decode()
