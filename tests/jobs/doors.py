"""The ways into the jobs of one store, without a worker: a test submits, claims and appends act by act."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from pydantic import JsonValue

from jobs import keys
from jobs.connection import Client
from jobs.contents import Contents
from jobs.kind import AnyKind, Kind, Run
from jobs.leases import Claim, Leases
from jobs.log import Line, Log
from jobs.model import JobId, JsonObject, Value
from jobs.queue import Queue, Submission
from jobs.updates import Entry, fold, utf16_length

LEASE_SECONDS = 30.0
STANDING = {keys.QUEUE, keys.LEASED, keys.TRIMS, keys.DEAD_LETTERS, keys.ENDED, keys.COUNTS, keys.PAUSED}
"""Keys that belong to no job: what they hold leaves them one by one, or is a count."""


class Nothing(Value):
    """No input."""


async def _stand_idle(_run: Run, _input: Nothing) -> JsonValue:
    return None


def idle_kind(name: str = "idle", **bounds: Any) -> AnyKind:
    """A kind that does nothing: a test does its acts."""
    return Kind(name=name, input=Nothing, perform=_stand_idle, summary="Nothing.", **bounds)


IDLE = idle_kind()


@dataclass
class Doors:
    """Every door to the jobs of one store."""

    client: Client
    lease_seconds: float = LEASE_SECONDS
    _flushes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.queue = Queue(self.client)
        self.log = Log(self.client)
        self.leases = Leases(self.client, lease_seconds=self.lease_seconds)

    async def submit(self, kind: AnyKind = IDLE, **more: Any) -> JobId:
        """A job that was taken into the queue."""
        return (await self.queue.submit(Submission(kind=kind, input={}, **more))).job_id

    async def claim(self, token: str, *, slots: int = 1, kinds: Sequence[AnyKind] = (IDLE,)) -> list[Claim]:
        """What a worker is given."""
        return (await self.leases.claim(slots=slots, token=token, kinds=kinds)).jobs

    async def running(self, kind: AnyKind = IDLE, *, token: str = "first", **more: Any) -> Claim:  # noqa: S107
        """A job that was submitted and claimed, alone in its queue."""
        await self.submit(kind, **more)
        (claim,) = await self.claim(token, kinds=[kind])
        return claim

    async def append(self, claim: Claim, *lines: Line) -> None:
        """The lines in the job's log, as one flush."""
        self._flushes[claim.token] = flush = self._flushes.get(claim.token, 0) + 1
        await self.log.append(claim.job_id, list(lines), token=claim.token, flush=flush, subject=claim.subject)

    async def lose(self, claim: Claim) -> None:
        """The worker is gone: its lease has run out, and its job is due."""
        await self.client.delete(keys.lease(claim.job_id))
        await self.client.zadd(keys.LEASED, {claim.job_id: 0}, xx=True)

    async def fall_due(self, job_id: JobId) -> None:
        """The time that the job waits for has come."""
        if not await self.client.zadd(keys.SCHEDULED, {job_id: 0}, xx=True, ch=True):
            await self.client.zadd(keys.QUEUE, {job_id: 0})

    async def snapshot(self, job_id: JobId) -> JsonObject:
        """The job as polling returns it."""
        return (await self.log.story(job_id)).snapshot

    async def entries(self, job_id: JobId) -> list[Entry]:
        """Every entry that the log holds."""
        rows: list[Any] = await self.client.xrange(log_key(job_id))
        subject = await cast("Awaitable[bytes | None]", self.client.hget(keys.job(job_id), "subject"))
        contents = Contents(self.client.sealer, job_id, (subject or b"").decode() or None)
        return [_entry(cursor, held, contents) for cursor, held in rows]

    async def updates(self, job_id: JobId) -> list[tuple[str, JsonObject]]:
        """Event and data of every entry that the log holds; its numbers have no gap."""
        entries = await self.entries(job_id)
        assert [each.seq for each in entries] == list(range(entries[0].seq, entries[0].seq + len(entries)))
        return [(each.event, orjson.loads(each.body)) for each in entries]

    async def moment(self, job_id: JobId, field: str) -> int:
        """A time in the job's record, in microseconds of the store's clock."""
        held = await cast("Awaitable[bytes]", self.client.hget(keys.job(job_id), field))
        return int(held)

    async def set_moment(self, job_id: JobId, field: str, us: int) -> None:
        """Change it, instead of waiting or of turning a clock."""
        await cast("Awaitable[int]", self.client.hset(keys.job(job_id), field, str(us)))

    async def lifetimes(self) -> dict[str, float]:
        """Every key in the store but the standing ones, and the seconds that it has left; -1 for ever."""
        names = [name.decode() async for name in self.client.scan_iter()]
        return {name: await self.client.pttl(name) / 1000 for name in names if name not in STANDING}


def _entry(cursor: bytes, held: dict[bytes, bytes], contents: Contents) -> Entry:
    event = held[b"event"].decode()
    body = contents.open_update(event, held[b"body"])
    return Entry(cursor, event, int(held[b"total"]), body)


def log_key(job_id: JobId) -> str:
    """Where the store keeps the job's log."""
    return f"{keys.PREFIX}{job_id}:log"


def replayed(first: JsonObject, entries: Sequence[Entry]) -> JsonObject:
    """The snapshot after the entries that follow it; a delta that does not fit the text before it is an error."""
    snapshot = first
    for entry in entries:
        if entry.seq <= first["seq"]:
            continue
        data = orjson.loads(entry.body)
        assert entry.seq == snapshot["seq"] + 1
        if entry.event == "delta":
            assert data["at"] == utf16_length(snapshot["parts"][data["part"]]["text"])
        snapshot = fold(snapshot, entry.event, data, entry.cursor)
    return snapshot
