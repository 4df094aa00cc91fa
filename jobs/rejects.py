"""The records that a copy set aside: the first of them, as they were, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import JsonValue

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.contents import Contents
from jobs.kind import DAY_SECONDS
from jobs.model import JobId

MOST_REJECTS = 1000
MOST_RECORD_BYTES = 4096
LIFETIME_SECONDS = 30 * DAY_SECONDS
"""Until the job ends; then they are kept as long as it."""


@dataclass(frozen=True)
class Reject:
    """One record that was set aside; `line` counts from 1, in a Parquet file the rows. `record` is the text as it
    stood where no record could be read from it."""

    file: str
    line: int
    record: JsonValue
    reason: str

    def encoded(self) -> bytes:
        """One line of JSON; of a record that is too large to keep, its beginning."""
        record = orjson.dumps(self.record)
        if len(record) > MOST_RECORD_BYTES:
            record = orjson.dumps(record[:MOST_RECORD_BYTES].decode(errors="ignore") + " ...")
        reason = self.reason[:MOST_RECORD_BYTES]
        return orjson.dumps(
            {"record": orjson.Fragment(record), "line": self.line, "reason": reason, "file": self.file}
        )


class Rejects:
    """What every copy of one store set aside, of each the first thousand."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def add(self, job_id: JobId, subject: str | None, rejects: Sequence[Reject], *, after: int) -> None:
        """Keep them, `after` so many records of the copy; added once more they change nothing."""
        name, contents = keys.rejects(job_id), self._contents(job_id, subject)
        kept = rejects[:MOST_REJECTS]
        with store_faults():
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.zremrangebyscore(name, after, after + len(kept) - 1)
                pipe.zadd(name, {contents.seal("reject", each.encoded()): after + at for at, each in enumerate(kept)})
                pipe.expire(name, LIFETIME_SECONDS)
                await pipe.execute()

    async def read(self, job_id: JobId, subject: str | None) -> bytes:
        """Those that are kept as lines of JSON, in the order of the copy."""
        contents = self._contents(job_id, subject)
        with store_faults():
            held: Any = await self._client.zrange(keys.rejects(job_id), 0, MOST_REJECTS - 1)
        return b"".join(contents.open("reject", line) + b"\n" for line in held)

    def _contents(self, job_id: JobId, subject: str | None) -> Contents:
        return Contents(self._client.sealer, job_id, subject)
