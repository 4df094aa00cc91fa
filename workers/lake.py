"""What systems measured, as it lies in the files of the connection `measurements`."""

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence

from jobs.errors import DoNotRetry
from jobs.measurements.rows import TIME_FIELDS, Measurements, moment_in, read_rows
from jobs.records.connections import Connection, Connections
from workers.records import Records
from workers.sources import read

CONNECTION = "measurements"
BATCH_RECORDS = 10_000
NUMERIC = frozenset({"integer", "number", "decimal"})
DAY_SECONDS = 86_400


class Lake:
    """The measurements of every system: those of one lie in the folder, or in the files, that bear its id.

    A record says under one of the usual names when it was measured; each other field that is a number is a metric."""

    def __init__(self, connections: Connections) -> None:
        self._connection = connections.get(CONNECTION)

    async def measurements(self, system_id: str, *, days: float) -> Measurements:
        """The newest days of what there is of the system; DoNotRetry where that is nothing."""
        if self._connection is None:
            raise DoNotRetry("There is no analysis_data, and no connection `measurements` to look for some.")
        reading = _Reading(self._connection, system_id)
        try:
            return await asyncio.to_thread(reading.newest, days)
        finally:
            reading.stopped.set()  # a cancelled thread goes on to the end of its batch, and no further


class _Reading:
    """One way through a system's files. Its calls block: they belong into a thread."""

    def __init__(self, connection: Connection, system_id: str) -> None:
        self._connection = connection
        self._system_id = system_id
        self.stopped = threading.Event()

    def newest(self, days: float) -> Measurements:
        """Two readings, the first of the times alone: a lake may hold years, and only the days are kept in memory."""
        path = self._path()
        moments = (moment_in(row) for row in self._rows(path, TIME_FIELDS))
        newest = max((moment for moment in moments if moment is not None), default=None)
        if newest is None:
            return Measurements()
        since = newest - days * DAY_SECONDS
        return read_rows(row for row in self._rows(path) if not _is_older(row, since))

    def _path(self) -> str:
        """The folder of the system's name, else the files that are named so."""
        if self._system_id.strip("."):
            for path in (self._system_id, f"{self._system_id}.*"):
                try:
                    next(read(self._connection, path, most=1), None)
                except DoNotRetry:
                    continue
                return path
        raise DoNotRetry("The connection `measurements` holds nothing of this system.")

    def _rows(self, path: str, columns: Sequence[str] | None = None) -> Iterator[Mapping[str, object]]:
        for records in read(self._connection, path, most=BATCH_RECORDS, columns=columns):
            if self.stopped.is_set():
                return
            yield from _plain(records)


def _plain(records: Records) -> Iterator[Mapping[str, object]]:
    """The records with their numbers as numbers, whichever way the file spells them."""
    names = records.names
    numeric = {name for name, held in records.types().items() if held in NUMERIC}
    for row in records.rows():
        yield {
            name: float(value) if name in numeric else value
            for name, value in zip(names, row, strict=True)
            if value is not None
        }


def _is_older(row: Mapping[str, object], since: float) -> bool:
    """Whether the row says that; one that does not say when it was measured is counted with what is left out."""
    moment = moment_in(row)
    return moment is not None and moment < since
