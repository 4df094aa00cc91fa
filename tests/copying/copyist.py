"""A job that copies, attempt by attempt, without its worker: what the kind sees, and what is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from jobs.connection import Client
from jobs.copying import Copy, Counts
from jobs.errors import LeaseLost
from jobs.leases import Claim
from jobs.records.connections import PREFIX, Connections, read_connections
from jobs.rejects import Rejects
from workers.copying import JobCopying

NEVER = -1


@dataclass
class Copyist:
    """Copies from the connection `lake` into `warehouse`."""

    claim: Claim
    connections: Connections
    rejects: Rejects
    told: list[Counts] = field(default_factory=list)

    @classmethod
    def of(cls, claim: Claim, client: Client, variables: Mapping[str, str]) -> "Copyist":
        named = {f"{PREFIX}{name}": url for name, url in variables.items()}
        return cls(claim, read_connections(named), Rejects(client))

    async def copy(self, path: str, *, name: str = "copy", stop_after: int = NEVER, **more: Any) -> Counts:
        """The counts at the end of an attempt; LeaseLost after so many batches of it."""
        self.told.clear()

        async def told(counts: Counts) -> None:
            self.told.append(counts)
            assert counts.processed == counts.inserted + counts.updated + counts.errors
            if len(self.told) == stop_after:
                raise LeaseLost

        return await self.copying.copy(a_copy(path, **more), name, told)

    @property
    def copying(self) -> JobCopying:
        return JobCopying(self.connections, self.rejects, self.claim)

    async def set_aside(self) -> list[dict[str, Any]]:
        """The rejects of the job."""
        kept = await self.rejects.read(self.claim.job_id, self.claim.subject)
        return [orjson.loads(line) for line in kept.splitlines()]


def a_copy(path: str, **more: Any) -> Copy:
    """From the path in the lake into the warehouse's `things`."""
    given = {
        "source": {"connection": "lake", "path": path},
        "destination": {"connection": "warehouse", "table": more.pop("table", "things")},
        "key": ["id"],
    }
    return Copy.model_validate(given | more)


def ndjson(*records: Any) -> bytes:
    """The records as lines of JSON."""
    return b"".join(orjson.dumps(record) + b"\n" for record in records)
