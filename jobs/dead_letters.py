"""Dead letters: jobs whose run failed for good, kept for inspection, retry or deletion."""

from collections import Counter

import orjson
from pydantic import JsonValue

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.contents import Contents
from jobs.errors import Corrupt, JobNotFound
from jobs.index import Index, Listed
from jobs.model import JobId, JsonObject


class DeadLetters:
    """The dead letters of one store, newest first."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._index = Index(client, keys.DEAD_LETTERS)

    async def page(
        self,
        *,
        limit: int,
        after: str | None = None,
        kind: str | None = None,
        subject: str | None = None,
        error_type: str | None = None,
    ) -> list[Listed]:
        """Up to `limit` letters that come after the cursor; of the kind, the subject and the error type where those
        are given."""

        def fits(letter: Listed) -> bool:
            asked = (kind, letter.kind), (subject, letter.subject), (error_type, letter.error_type)
            return all(wanted in (None, held) for wanted, held in asked)

        return await self._index.page(limit=limit, after=after, fits=fits)

    async def inspect(self, job_id: JobId) -> JsonObject:
        """What the job was given, and how it failed: `{"input", "failures": [{"run", "attempt", "at", "outcome",
        "error"}]}`, the newest hundred, oldest first; `outcome` is `retrying`, `worker-lost` or `failed`."""
        with store_faults():
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.hget(keys.job(job_id), "subject")
                pipe.get(keys.payload(job_id))
                pipe.lrange(keys.failures(job_id), 0, -1)
                subject, given, failures = await pipe.execute()
        if subject is None or given is None:
            raise JobNotFound("No job has this id, or it has expired.")
        contents = Contents(self._client.sealer, job_id, subject.decode() or None)
        return {
            "input": _read(contents.open("input", given)),
            "failures": [_read(contents.open_inside(failure)) for failure in failures],
        }

    async def groups(self, *, kind: str | None = None, subject: str | None = None) -> list[JsonObject]:
        """How many letters there are of each kind and error type, most first."""
        letters = await self.page(limit=1_000_000, kind=kind, subject=subject)
        counts = Counter((letter.kind, letter.error_type) for letter in letters)
        return [
            {"kind": each, "error_type": error_type, "count": count}
            for (each, error_type), count in counts.most_common()
        ]


def _read(stored: bytes) -> JsonValue:
    try:
        value: JsonValue = orjson.loads(stored)
    except ValueError as error:
        raise Corrupt("What is stored of the job cannot be read.") from error
    return value
