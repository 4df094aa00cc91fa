"""Copying records: files are read ahead in a thread while a sink writes, batch by batch, what was read before."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from jobs.copying import Copy, Counts, Source, Survey
from jobs.errors import Corrupt, DoNotRetry
from jobs.leases import Claim
from jobs.model import known
from jobs.records.connections import Connection, Connections
from jobs.rejects import MOST_REJECTS, Reject, Rejects
from workers.records import Records, record_at, without_key
from workers.sink import Order, Sink, Written
from workers.sinks import open_sink
from workers.source import Batch, Place, Spot
from workers.sources import Reading
from workers.threads import in_thread
from workers.writer import patiently

BATCHES_AHEAD = 2

LAST_BATCH_SECONDS = 5.0
"""How long a copy that was told to stop waits for the batch that is under way."""

NO_KEY = "The record has no value that could be found again in a column of the key."

Told = Callable[[Counts], Awaitable[None]]


@dataclass(frozen=True)
class Progress:
    """What a destination remembers of a copy: the place that all before is done of, and what became of it."""

    place: Place = field(default_factory=Place)
    counts: Counts = field(default_factory=Counts)

    def encoded(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def read(cls, state: str | None) -> "Progress":
        """The beginning where nothing is remembered."""
        if state is None:
            return cls()
        try:
            held = orjson.loads(state)
            place = known(Place, held["place"] | {"spot": known(Spot, held["place"]["spot"])})
            return cls(place, known(Counts, held["counts"]))
        except (ValueError, TypeError, KeyError) as error:
            raise Corrupt("What the destination remembers of the copy cannot be read.") from error

    def after(self, batch: Batch, written: Written, without: int) -> "Progress":
        """The progress with a batch more, of which so many records came no further than the reading."""
        counts = Counts(
            inserted=self.counts.inserted + written.inserted,
            updated=self.counts.updated + written.updated,
            errors=self.counts.errors + len(written.refusals) + without,
            share=batch.share,
        )
        return Progress(batch.place, counts)


class JobCopying:
    """How one job copies (jobs.copying.Copying)."""

    def __init__(self, connections: Connections, rejects: Rejects, claim: Claim) -> None:
        self._connections = connections
        self._rejects = rejects
        self._claim = claim

    async def survey(self, source: Source) -> Survey:
        connection = self._connection(source.connection)
        return await in_thread(lambda: Reading(connection, source).survey())

    async def copy(self, copy: Copy, name: str, told: Told) -> Counts:
        source, destination = map(self._connection, (copy.source.connection, copy.destination.connection))
        order = Order(copy, name, holder=secrets.token_hex(8))
        async with open_sink(destination, order) as sink:
            progress = Progress.read(await sink.take())
            _check_errors(copy, progress.counts)
            reading = await in_thread(lambda: Reading(source, copy.source))
            batches = reading.batches(progress.place, most=copy.batch_size)
            async with read_ahead(_prepared(batches, copy.key, sink)) as ahead:
                while isinstance(batch := await ahead.get(), Batch):
                    progress = await uncut(self._advance(sink, batch, progress, told))
                    if _is_over(copy, progress.counts):
                        break
            await sink.settle()
            _check_errors(copy, progress.counts)
            if isinstance(batch, Exception):
                raise batch
        return replace(progress.counts, share=1.0)

    async def _advance(self, sink: Sink, batch: Batch, before: Progress, told: Told) -> Progress:
        """The progress after the batch, which is in its table and was told of."""
        after = before
        records, rejects = batch.piece.records, batch.piece.rejects

        async def remember(written: Written) -> str:
            nonlocal after
            after = before.after(batch, written, len(rejects))
            await self._keep(before.counts, records, batch, written)
            return after.encoded()

        written = await sink.write(records, remember)
        if after is before:  # a sink that only tries remembers nothing
            await remember(written)
        await told(after.counts)
        return after

    async def _keep(self, before: Counts, records: Records, batch: Batch, written: Written) -> None:
        """Set aside what was not taken, as far as there is room; before it is counted, so that none is missing."""
        room = MOST_REJECTS - before.errors
        refused = [
            Reject(batch.place.file, records.lines[each.at], record_at(records, each.at), each.reason)
            for each in written.refusals[: max(room, 0)]
        ]
        if rejects := sorted([*batch.piece.rejects, *refused], key=lambda each: each.line)[: max(room, 0)]:
            job_id, subject = self._claim.job_id, self._claim.subject
            await patiently(partial(self._rejects.add, job_id, subject, rejects, after=before.processed))

    def _connection(self, name: str) -> Connection:
        if (connection := self._connections.get(name)) is None:
            raise DoNotRetry(f"The worker has no connection of the name {name}.")
        return connection


def with_key(batch: Batch, key: list[str]) -> Batch:
    """The batch with the records set aside that lack the key."""
    records = batch.piece.records
    if not (lacking := without_key(records, key)):
        return batch
    rejects = [Reject(batch.place.file, records.lines[at], record_at(records, at), NO_KEY) for at in lacking]
    left = records.at(sorted({*range(len(records))} - {*lacking}))
    return replace(batch, piece=replace(batch.piece, records=left, rejects=[*batch.piece.rejects, *rejects]))


@asynccontextmanager
async def read_ahead(batches: Iterator[Batch]) -> AsyncIterator["asyncio.Queue[Batch | Exception | None]"]:
    """A queue that a thread fills with the batches, and in the end with None, or with why there are no more."""
    queue: asyncio.Queue[Batch | Exception | None] = asyncio.Queue(BATCHES_AHEAD)

    async def fill() -> None:
        try:
            while (batch := await in_thread(lambda: next(batches, None))) is not None:
                await queue.put(batch)
            await queue.put(None)
        except Exception as error:  # noqa: BLE001  # raised where it belongs, after the batches before it
            await queue.put(error)

    filling = asyncio.create_task(fill())  # no task group, which would wrap what the copy ends with
    try:
        yield queue
    finally:
        filling.cancel()
        await asyncio.wait({filling})


async def uncut(act: Coroutine[Any, Any, Progress]) -> Progress:
    """What the act returns; one that is told to stop is over first, if that does not take long."""
    acting = asyncio.ensure_future(act)
    try:
        return await asyncio.shield(acting)
    except asyncio.CancelledError:
        await asyncio.wait({acting}, timeout=LAST_BATCH_SECONDS)
        acting.cancel()
        await asyncio.wait({acting})
        raise


def _prepared(batches: Iterator[Batch], key: list[str], sink: Sink) -> Iterator[Batch]:
    for batch in batches:
        prepared = with_key(batch, key)
        sink.prepare(prepared.piece.records)
        yield prepared


def _is_over(copy: Copy, counts: Counts) -> bool:
    """Whether more was set aside than the copy allows."""
    return copy.max_errors is not None and counts.errors > copy.max_errors


def _check_errors(copy: Copy, counts: Counts) -> None:
    if _is_over(copy, counts):
        raise DoNotRetry(
            f"{counts.errors} records were set aside, and the copy allows {copy.max_errors}: it stopped after "
            f"{counts.processed}. /rejects shows them with their reasons."
        )
