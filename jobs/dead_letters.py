"""Dead letters: jobs whose run failed for good, kept for inspection, retry or deletion."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.errors import InvalidCursor
from jobs.model import JobId, JsonObject

PAGE = 200


@dataclass(frozen=True)
class Letter:
    """One dead letter at a glance; `died_ms` is the store's clock in milliseconds."""

    job_id: JobId
    died_ms: int
    kind: str
    subject: str | None
    error_type: str

    @property
    def cursor(self) -> str:
        """The place of the letter in the list."""
        return f"{self.died_ms}-{self.job_id}"


class DeadLetters:
    """The dead letters of one store, newest first."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def page(
        self, *, limit: int, after: str | None = None, kind: str | None = None, subject: str | None = None
    ) -> list[Letter]:
        """Up to `limit` letters that come after the cursor, of the kind and the subject where those are given."""
        found: list[Letter] = []
        place = after
        while len(found) < limit:
            letters, place = await self._batch(place)
            found += [
                letter for letter in letters if kind in (None, letter.kind) and subject in (None, letter.subject)
            ]
            if place is None:
                break
        return found[:limit]

    async def groups(self, *, kind: str | None = None, subject: str | None = None) -> list[JsonObject]:
        """How many letters there are of each kind and error type, most first."""
        letters = await self.page(limit=100_000, kind=kind, subject=subject)
        counts = Counter((letter.kind, letter.error_type) for letter in letters)
        return [
            {"kind": each, "error_type": error_type, "count": count}
            for (each, error_type), count in counts.most_common()
        ]

    async def _batch(self, after: str | None) -> tuple[list[Letter], str | None]:
        """The next letters and the cursor behind them, None at the end; what has expired is swept away."""
        rows = await self._rows(after)
        with store_faults():
            async with self._client.pipeline(transaction=False) as pipe:
                for job_id, _ in rows:
                    pipe.hmget(keys.job(job_id), ["kind", "subject", "error_type"])
                facts = await pipe.execute()
            gone = [job_id for (job_id, _), held in zip(rows, facts, strict=True) if held[0] is None]
            if gone:
                await self._client.zrem(keys.DEAD_LETTERS, *gone)
        letters = [
            _letter(job_id, died_ms, held) for (job_id, died_ms), held in zip(rows, facts, strict=True) if held[0]
        ]
        return letters, f"{rows[-1][1]}-{rows[-1][0]}" if len(rows) == PAGE else None

    async def _rows(self, after: str | None) -> list[tuple[JobId, int]]:
        died_ms, job_id = _place(after)
        newest = "+inf" if died_ms is None else str(died_ms)
        with store_faults():
            held: Any = await self._client.zrevrangebyscore(
                keys.DEAD_LETTERS, newest, "-inf", start=0, num=PAGE, withscores=True
            )
        rows = [(JobId(each.decode()), int(score)) for each, score in held]
        return [row for row in rows if died_ms is None or (row[1], row[0]) < (died_ms, job_id)]


def _letter(job_id: JobId, died_ms: int, held: list[bytes | None]) -> Letter:
    kind, subject, error_type = ((each or b"").decode() for each in held)
    return Letter(job_id, died_ms, kind, subject or None, error_type)


def _place(cursor: str | None) -> tuple[int | None, str]:
    if cursor is None:
        return None, ""
    died_ms, _, job_id = cursor.partition("-")
    if not (died_ms.isascii() and died_ms.isdigit() and len(died_ms) <= 16):
        raise InvalidCursor("This is no cursor of the list of dead letters.")
    return int(died_ms), job_id
