"""The contract of a sink: it writes batches into one table, and with each of them how far the copy is."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from jobs.copying import Copy
from jobs.errors import DoNotRetry, JobError
from workers.records import PlainRecords, Records

FORGET_DAYS = 40
"""How long a destination remembers a copy that has not moved on: longer than its job can live."""


@dataclass(frozen=True)
class Order:
    """What a sink is opened for; `holder` is whoever writes now, and `name` the copy, whoever writes it."""

    copy: Copy
    name: str
    holder: str

    @property
    def key(self) -> Sequence[str]:
        return self.copy.key


@dataclass(frozen=True)
class Refusal:
    """A record that was not taken: its place in the batch, and why."""

    at: int
    reason: str


@dataclass(frozen=True)
class Written:
    """What became of a batch: all its records are one of the three."""

    inserted: int
    updated: int
    refusals: Sequence[Refusal] = ()


Upsert = Callable[[Records], Awaitable[int]]
"""Puts records into the table, all or none, and returns how many were new; Refused where it takes not all."""

Remember = Callable[[Written], Awaitable[str]]
"""Makes of what became of a batch what is to be remembered of the copy."""


class Refused(Exception):
    """The destination does not take these records; the message is its reason."""


class Overtaken(JobError):
    """Another worker writes this copy now; whoever holds the job goes on from where that one is."""

    code = "connection-away"
    title = "Another worker wrote to the destination"


class Sink(Protocol):
    """One copy's way into its table."""

    def prepare(self, records: Records) -> None:
        """Do of the work for these records what needs no destination; called by the thread that reads ahead."""

    async def take(self) -> str | None:
        """What was last remembered of the copy, None at its start. From now on this sink writes, and no other of
        the same copy: what one of those has under way is there before, or never."""

    async def write(self, records: Records, remember: Remember) -> Written:
        """Put the records into the table; what `remember` makes of that is remembered in the same act. Overtaken
        where another sink writes the copy, and then nothing was written."""

    async def settle(self) -> None:
        """Return when all that was written outlives the power of the destination's machine. Until then some of the
        last batches may be gone after it, with what was remembered of them."""


@dataclass(frozen=True)
class Group:
    """Records of one batch with the same columns, and the places that each has in it: records of one key are one."""

    records: Records
    places: Sequence[Sequence[int]]


def groups_of(records: Records, key: Sequence[str]) -> list[Group]:
    """The batch as groups, whose order does not matter. Where each record has columns of its own, those of one key
    are put on top of each other, as if they came one by one."""
    if not isinstance(records, PlainRecords) or not records.ragged:
        return [Group(records, [[at] for at in range(len(records))])]
    merged: dict[tuple[object, ...], tuple[dict[str, object], list[int]]] = {}
    for at, record in enumerate(records.records):
        identity = tuple((isinstance(record[column], bool), record[column]) for column in key)
        whole, places = merged.setdefault(identity, ({}, []))
        whole.update(record)
        places.append(at)
    shapes: dict[frozenset[str], list[tuple[dict[str, object], list[int]]]] = {}
    for whole, places in merged.values():
        shapes.setdefault(frozenset(whole), []).append((whole, places))
    return [_group(records, alike) for alike in shapes.values()]


def _group(records: PlainRecords, alike: list[tuple[dict[str, object], list[int]]]) -> Group:
    lines = [records.lines[places[-1]] for _, places in alike]
    return Group(replace(records, records=[whole for whole, _ in alike], lines=lines), [each for _, each in alike])


def fitting(records: Records, columns: Sequence[str]) -> tuple[Records, list[int], list[Refusal]]:
    """The records that have no other columns than these, their places, and the refusals of the rest; DoNotRetry where
    the columns are the file's and not the record's own."""
    unknown = [name for name in records.names if name not in columns]
    if not unknown:
        return records, [*range(len(records))], []
    if not isinstance(records, PlainRecords) or not records.ragged:
        raise DoNotRetry(f"The table has no column {unknown[0]}, which the source has.")
    known = set(columns)
    places = [at for at, record in enumerate(records.records) if record.keys() <= known]
    strange = sorted({*range(len(records))} - {*places})
    refusals = [Refusal(at, f"The table has no column {_first_unknown(records, at, known)}.") for at in strange]
    return records.at(places), places, refusals


async def written(upsert: Upsert, records: Records, key: Sequence[str]) -> Written:
    """What became of the records; `upsert` is tried with ever fewer of those that are refused, and returns how many
    were new."""
    inserted, refusals = 0, []
    for group in groups_of(records, key):
        new, refused = await _sifted(upsert, group.records)
        inserted += new
        for each in refused:
            new, alone = await _one_by_one(upsert, records, group.places[each.at], each)
            inserted += new
            refusals += alone
    return Written(inserted, len(records) - inserted - len(refusals), refusals)


async def _one_by_one(
    upsert: Upsert, records: Records, places: Sequence[int], together: Refusal
) -> tuple[int, list[Refusal]]:
    """How many of the records of one key, which were refused together, were new when each came by itself, and the
    refusals of those that are bad."""
    if len(places) == 1:
        return 0, [Refusal(places[0], together.reason)]
    inserted, refusals = 0, []
    for place in places:
        new, refused = await _sifted(upsert, records.at([place]))
        inserted += new
        refusals += [Refusal(place, each.reason) for each in refused]
    return inserted, refusals


async def _sifted(upsert: Upsert, records: Records) -> tuple[int, list[Refusal]]:
    try:
        return await upsert(records), []
    except Refused as error:
        if len(records) == 1:
            return 0, [Refusal(0, str(error))]
    half = len(records) // 2
    first, refused_first = await _sifted(upsert, records.slice(0, half))
    second, refused_second = await _sifted(upsert, records.slice(half, len(records)))
    return first + second, [*refused_first, *(Refusal(half + each.at, each.reason) for each in refused_second)]


def _first_unknown(records: PlainRecords, at: int, known: set[str]) -> str:
    return next(name for name in records.records[at] if name not in known)
