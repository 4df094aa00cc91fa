"""Lists of jobs by time, newest first."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.errors import InvalidCursor
from jobs.model import JobId

PAGE = 200
MOST_LOOKED_AT = 20_000
"""How far one call looks for jobs that fit; a page may be short of its limit where few do."""


@dataclass(frozen=True)
class Listed:
    """One job of a list at a glance; `at_ms` is the store's clock in milliseconds when it was put there."""

    job_id: JobId
    at_ms: int
    kind: str
    state: str
    subject: str | None
    error_type: str

    @property
    def cursor(self) -> str:
        """The place of the job in the list."""
        return f"{self.at_ms}-{self.job_id}"


class Index:
    """One list of one store."""

    def __init__(self, client: Client, key: str) -> None:
        self._client = client
        self._key = key

    async def newest(self, *, after: str | None = None) -> AsyncIterator[Listed]:
        """The jobs that come after the cursor, one by one; of the same millisecond, the later id first."""
        place = _place(after)
        top, behind = ("+inf", 0) if place is None else (str(place[0]), 0)
        while behind < MOST_LOOKED_AT:
            with store_faults():
                held: Any = await self._client.zrevrangebyscore(
                    self._key, top, "-inf", start=behind, num=PAGE, withscores=True
                )
            rows = [(int(score), job_id.decode()) for job_id, score in held]
            for listed in await self._known([row for row in rows if place is None or row < place]):
                yield listed
            if len(rows) < PAGE:
                return
            behind += len(rows)

    async def page(
        self, *, limit: int, after: str | None = None, fits: Callable[[Listed], bool] = lambda _: True
    ) -> list[Listed]:
        """Up to `limit` of the jobs that come after the cursor, of those that fit."""
        found: list[Listed] = []
        async for listed in self.newest(after=after):
            if fits(listed):
                found.append(listed)
                if len(found) == limit:
                    break
        return found

    async def _known(self, rows: list[tuple[int, str]]) -> list[Listed]:
        fields = ["kind", "state", "subject", "error_type"]
        with store_faults():
            async with self._client.pipeline(transaction=False) as pipe:
                for _, job_id in rows:
                    pipe.hmget(keys.job(JobId(job_id)), fields)
                facts = await pipe.execute()
        return [_listed(row, held) for row, held in zip(rows, facts, strict=True) if held[0] is not None]

    async def sweep(self, *, most: int = 1000) -> int:
        """Forget the oldest of the list whose jobs have expired; how many they were."""
        with store_faults():
            oldest: Any = await self._client.zrange(self._key, 0, most - 1)
            async with self._client.pipeline(transaction=False) as pipe:
                for job_id in oldest:
                    pipe.exists(keys.job(JobId(job_id.decode())))
                there = await pipe.execute()
            gone = [job_id for job_id, exists in zip(oldest, there, strict=True) if not exists]
            if gone:
                await self._client.zrem(self._key, *gone)
        return len(gone)


def _listed(row: tuple[int, str], held: list[bytes | None]) -> Listed:
    kind, state, subject, error_type = ((each or b"").decode() for each in held)
    return Listed(JobId(row[1]), row[0], kind, state, subject or None, error_type)


def _place(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    at_ms, _, job_id = cursor.partition("-")
    if not (at_ms.isascii() and at_ms.isdigit() and len(at_ms) <= 16):
        raise InvalidCursor("This is no cursor of this list.")
    return int(at_ms), job_id
