"""Who holds a job: claim it under a lease, hand it back, or put it off until its next attempt."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from jobs.clock import MICROSECONDS
from jobs.connection import Client, Script
from jobs.contents import Contents, field_of
from jobs.encryption import Sealer
from jobs.errors import IntegrityError, LeaseLost
from jobs.kind import AnyKind
from jobs.model import Failure, JobId, JsonObject
from jobs.updates import one_line


@dataclass(frozen=True)
class Claim:
    """A job that this worker holds, with all that earlier attempts kept of it.

    `claimed_us` is the store's clock; `waited_seconds` since it was due, None for one that comes back from a worker;
    `trace` is where its trace goes on; `only` names the parts that a retry by hand asked for, none for all;
    `depth` is how many events and parents led to it; what is not `readable` no worker has kept."""

    job_id: JobId
    token: str
    kind: str
    run: int
    attempt: int
    max_attempts: int
    attempt_seconds: float
    subject: str | None
    request_id: str
    trace: str
    claimed_us: int
    waited_seconds: float | None
    only: frozenset[str]
    depth: int
    input: bytes
    kept: dict[str, bytes]
    parts: dict[str, JsonObject]
    progress: JsonObject
    readable: bool = True


@dataclass(frozen=True)
class Claims:
    """What one call gave; `wait_seconds` until the next job falls due, None where none will."""

    jobs: list[Claim]
    wait_seconds: float | None


class Leases:
    """The leases on one store's queue."""

    def __init__(self, client: Client, *, lease_seconds: float) -> None:
        self._lease_ms = round(lease_seconds * 1000)
        self._sealer = client.sealer
        self._claim = Script(client, "claim")
        self._release = Script(client, "release")
        self._postpone = Script(client, "postpone")
        self._suspend = Script(client, "suspend")
        self._reconcile = Script(client, "reconcile")

    async def claim(self, *, slots: int, token: str, kinds: Iterable[AnyKind]) -> Claims:
        """Up to `slots` due jobs of these kinds, within their limits, each leased to the token and said to be
        running."""
        limits = [each for kind in kinds for each in (kind.name, kind.concurrency, kind.concurrency_per_subject)]
        wait_ms, rows = await self._claim(slots, self._lease_ms, token, *limits)
        jobs = [_claim(row, token, self._sealer) for row in rows]
        return Claims(jobs, None if wait_ms < 0 else wait_ms / 1000)

    async def release(self, claim: Claim) -> None:
        """Hand the job back, for the next worker at once, with the same attempt."""
        _held(await self._release(claim.job_id, claim.token))

    async def postpone(self, claim: Claim, *, delay_seconds: float, error: Failure) -> None:
        """End this attempt; the next one begins after the delay."""
        delay_ms = round(delay_seconds * 1000)
        contents = Contents(self._sealer, claim.job_id, claim.subject)
        sealed = contents.seal("error", one_line(error.model_dump_json().encode()))
        _held(await self._postpone(claim.job_id, claim.token, delay_ms, sealed))

    async def suspend(self, claim: Claim, *, until_us: int | None) -> None:
        """Let the job wait without a worker, until a moment of the store's clock or, for None, for its children."""
        _held(await self._suspend(claim.job_id, claim.token, until_us or 0))

    async def reconcile(self, *, most: int = 1000) -> int:
        """Mend what no single act can: slots of dead workers, jobs parked beside a free slot; how much it was."""
        return int(await self._reconcile(most))


def _held(answer: bytes) -> None:
    if answer == b"FENCED":
        raise LeaseLost("Another worker holds the job, or nobody does any more.")


@dataclass(frozen=True)
class _Held:
    """What is stored of a claimed job."""

    input: bytes
    kept: dict[str, bytes]
    parts: dict[str, JsonObject]
    progress: JsonObject


def _claim(row: list[Any], token: str, sealer: Sealer) -> Claim:
    job_id, kind, run, attempt, attempt_us, subject, most, request_id, now, only, depth, waited, trace, *stored = row
    try:
        held = _opened(Contents(sealer, job_id.decode(), subject.decode() or None), *stored)
    except (ValueError, IntegrityError):
        held = None
    return Claim(
        job_id=JobId(job_id.decode()),
        token=token,
        kind=kind.decode(),
        run=run,
        attempt=attempt,
        max_attempts=int(most),
        attempt_seconds=int(attempt_us) / MICROSECONDS,
        subject=subject.decode() or None,
        request_id=request_id.decode(),
        trace=trace.decode(),
        claimed_us=int(now),
        waited_seconds=None if waited == b"" else max(0, int(waited)) / 1000,
        only=frozenset(name for name in only.decode().split(",") if name),
        depth=int(depth),
        input=held.input if held else b"",
        kept=held.kept if held else {},
        parts=held.parts if held else {},
        progress=held.progress if held else {},
        readable=held is not None,
    )


def _opened(contents: Contents, payload: bytes, kept: list[bytes], parts: list[bytes], progress: bytes) -> _Held:
    return _Held(
        input=contents.open("input", payload),
        kept={name: contents.open(field_of("kept", name), value) for name, value in _named(kept)},
        parts={name: orjson.loads(contents.open(field_of("part", name), value)) for name, value in _named(parts)},
        progress=_json(contents.open("progress", progress)),
    )


def _named(flat: list[bytes]) -> Iterator[tuple[str, bytes]]:
    return ((name.decode(), value) for name, value in zip(flat[::2], flat[1::2], strict=True))


def _json(held: bytes) -> JsonObject:
    value: JsonObject = orjson.loads(held) if held else {}
    return value
