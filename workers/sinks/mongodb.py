"""MongoDB: unordered bulk changes, in one transaction with what is remembered where the server has transactions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import bson
from bson import Decimal128
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError

from jobs.copying import CHECKPOINTS
from jobs.records.connections import Connection
from jobs.records.mongodb import Database, open_mongodb, table_of
from workers.records import PlainRecords, Records
from workers.sink import FORGET_DAYS, Order, Overtaken, Refusal, Remember, Written, groups_of

MOST_DOCUMENT_BYTES = 16 * 1024 * 1024 - 16 * 1024

Change = tuple[dict[str, Any], Any, Sequence[int]]
"""What finds a document, what is set in it (encoded), and the places of the records that it comes from."""


@asynccontextmanager
async def open_sink(connection: Connection, order: Order) -> AsyncIterator["MongodbSink"]:
    """A sink with a client of its own; a collection that is missing is made with a unique index on the key."""
    async with open_mongodb(connection) as database:
        name = order.copy.destination.table
        table = await table_of(database, name)
        if table is not None:
            table.check(order.key)
        elif not order.copy.dry_run:
            await database.create_collection(name)
            if [*order.key] != ["_id"]:
                await database[name].create_index([(column, 1) for column in order.key], unique=True)
        hello = await database.client.admin.command("hello")
        yield MongodbSink(database, order, transactions="setName" in hello or hello.get("msg") == "isdbgrid")


class MongodbSink:
    """One copy's way into a collection. Without transactions a batch may be there though nobody remembers it: written
    again, its new documents count as updated."""

    def __init__(self, database: Database, order: Order, *, transactions: bool) -> None:
        self._order = order
        self._client = database.client
        self._target = database[order.copy.destination.table]
        self._checkpoints = database[CHECKPOINTS]
        self._transactions = transactions

    def prepare(self, records: Records) -> None:
        """Nothing: its documents are made when they are written."""

    async def take(self) -> str | None:
        if self._order.copy.dry_run:
            return None
        now = datetime.now(UTC)
        taking = {"$set": {"holder": self._order.holder, "changed_at": now}}
        found = await self._checkpoints.find_one_and_update({"_id": self._order.name}, taking, upsert=True)
        oldest = datetime.fromtimestamp(now.timestamp() - FORGET_DAYS * 86400, UTC)
        await self._checkpoints.delete_many({"changed_at": {"$lt": oldest}})
        return None if found is None else found.get("state")

    async def write(self, records: Records, remember: Remember) -> Written:
        changes, refusals = _changes(records, self._order.key)
        if self._order.copy.dry_run:
            return await self._tried(changes, refusals)
        if not self._transactions:
            await self._check_holder()
            done = await self._put(changes, refusals, None)
            await self._remember(await remember(done), None)
            return done
        while True:
            async with self._client.start_session() as session, await session.start_transaction():
                done = await self._put(changes, refusals, session)
                if len(done.refusals) == len(refusals):
                    await self._remember(await remember(done), session)
                    return done
                await session.abort_transaction()
            refusals = [*done.refusals]
            refused = {each.at for each in refusals}
            changes = [each for each in changes if not refused.intersection(each[2])]

    async def settle(self) -> None:
        """Nothing: the server acknowledges as its URL asks it to."""

    async def _put(
        self, changes: Sequence[Change], refusals: Sequence[Refusal], session: AsyncClientSession | None
    ) -> Written:
        """What became of the batch; in a transaction, which ends with the first refusal, as far as it came."""
        found = [*refusals]
        new = 0
        if changes:
            requests = [UpdateOne(key, {"$set": values}, upsert=True) for key, values, _ in changes]
            try:
                new = (await self._target.bulk_write(requests, ordered=False, session=session)).upserted_count
            except BulkWriteError as error:
                if not error.details.get("writeErrors"):
                    raise
                new = error.details["nUpserted"]
                for each in error.details["writeErrors"]:
                    found += [Refusal(at, str(each["errmsg"])) for at in changes[each["index"]][2]]
        records = sum(len(places) for _, _, places in changes) + len(refusals)
        return Written(new, records - new - len(found), found)

    async def _tried(self, changes: Sequence[Change], refusals: Sequence[Refusal]) -> Written:
        """What would become of the batch."""
        there = 0
        for key, _, _ in changes:
            there += await self._target.count_documents(key, limit=1)
        records = sum(len(places) for _, _, places in changes)
        return Written(len(changes) - there, records - len(changes) + there, refusals)

    async def _check_holder(self) -> None:
        found = await self._checkpoints.find_one({"_id": self._order.name})
        if found is None or found["holder"] != self._order.holder:
            raise Overtaken("Another worker writes this copy now.")

    async def _remember(self, state: str, session: AsyncClientSession | None) -> None:
        mine = {"_id": self._order.name, "holder": self._order.holder}
        moving = {"$set": {"state": state, "changed_at": datetime.now(UTC)}}
        if (await self._checkpoints.update_one(mine, moving, session=session)).matched_count != 1:
            raise Overtaken("Another worker writes this copy now.")


def _changes(records: Records, key: Sequence[str]) -> tuple[list[Change], list[Refusal]]:
    """One upsert for each key of the batch, and the refusals of records that are no documents."""
    if not isinstance(records, PlainRecords):
        documents = [dict(zip(records.names, row, strict=True)) for row in records.rows()]
        records = PlainRecords(documents, records.lines, ragged=True)
    changes: list[Change] = []
    refusals: list[Refusal] = []
    for group in groups_of(replace(records, ragged=True), key):
        assert isinstance(group.records, PlainRecords)  # noqa: S101  # as it was given
        for document, places in zip(group.records.records, group.places, strict=True):
            try:
                changes.append(_change(document, key, places))
            except (ValueError, OverflowError, TypeError) as error:
                refusals += [Refusal(at, str(error)) for at in places]
    return changes, refusals


def _change(document: dict[str, Any], key: Sequence[str], places: Sequence[int]) -> Change:
    """ValueError, OverflowError or TypeError where MongoDB has no such document."""
    document = {name: _stored(value) for name, value in document.items()}
    if any(not name or name.startswith("$") or "." in name for name in document):
        raise ValueError("A field's name is empty, has a dot, or begins with $.")
    try:
        encoded = bson.encode(document)
    except bson.errors.BSONError as error:
        raise ValueError(str(error)) from error
    if len(encoded) > MOST_DOCUMENT_BYTES:
        raise ValueError("The document is larger than MongoDB takes.")
    return {column: document[column] for column in key}, RawBSONDocument(encoded), places


def _stored(value: Any) -> Any:
    match value:
        case Decimal():
            return _decimal(value)
        case datetime():
            return value
        case date():
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        case time():
            return value.isoformat()
        case list():
            return [_stored(each) for each in value]
        case dict():
            return {name: _stored(each) for name, each in value.items()}
    return value


def _decimal(value: Decimal) -> Decimal128:
    try:
        return Decimal128(value)
    except ArithmeticError:
        raise ValueError("The decimal has more digits than MongoDB keeps.") from None
