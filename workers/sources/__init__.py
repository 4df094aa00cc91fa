"""Every format, and the way through all the files of a path: their records in one order that lasts."""

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import PurePosixPath
from types import MappingProxyType

from jobs.copying import Format, Survey
from jobs.copying import Source as SourceGiven
from jobs.errors import ConnectionAway, DoNotRetry, JobError
from jobs.records.connections import Connection
from jobs.records.folder import File, Folder, folder_of
from workers.records import Records
from workers.source import Batch, Place, Source, Spot
from workers.sources.csv import Csv
from workers.sources.ndjson import Ndjson
from workers.sources.parquet import Parquet

SOURCES: Mapping[Format, Source] = MappingProxyType({"parquet": Parquet(), "ndjson": Ndjson(), "csv": Csv()})

_ENDINGS: Mapping[str, Format] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
}


class Reading:
    """The files that a source means. Its calls block: they belong into a thread."""

    def __init__(self, connection: Connection, source: SourceGiven) -> None:
        self._name = connection.name
        self._given = source
        with self._faults():
            self._folder: Folder = folder_of(connection)

    def survey(self) -> Survey:
        """What there is; DoNotRetry where there is nothing."""
        files = self._files()
        counts = []
        for file in files:
            with self._faults(), self._folder.open(file.name) as stream:
                counts.append(self._source(file).count(stream))
            if counts[-1] is None:
                break
        known = [count for count in counts if count is not None]
        return Survey(len(files), sum(file.size for file in files), sum(known) if len(known) == len(files) else None)

    def batches(self, after: Place, *, most: int, columns: Sequence[str] | None = None) -> Iterator[Batch]:
        """The records after the place, up to `most` at a time; DoNotRetry where the file there has changed."""
        files = self._files()
        if after.file and all(file.name != after.file for file in files):
            raise DoNotRetry("A file of the source is there no more, though it was not copied to its end.")
        sizes = sum(file.size for file in files) or 1
        done = 0
        for file in files:
            if file.name >= after.file:
                spot = _spot_in(file, after)
                with self._faults(), self._folder.open(file.name) as stream:
                    for piece in self._source(file).read(file.name, stream, spot, most=most, columns=columns):
                        share = (done + min(stream.tell(), file.size)) / sizes
                        yield Batch(piece, Place(file.name, file.size, piece.after), share)
            done += file.size

    def _files(self) -> list[File]:
        with self._faults():
            found = self._folder.files(self._given.path)
        files = [file for file in found if self._format(file.name)]
        if not files:
            raise DoNotRetry("The source's path leads to no file of a format that is known.")
        return files

    def _source(self, file: File) -> Source:
        known = self._format(file.name)
        assert known  # noqa: S101  # by _files
        return SOURCES[known]

    def _format(self, name: str) -> Format | None:
        ending = PurePosixPath(name.lower().removesuffix(".gz")).suffix
        return self._given.format or _ENDINGS.get(ending)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """What a file system says, in our words."""
        try:
            yield
        except JobError:
            raise
        except (FileNotFoundError, IsADirectoryError) as error:
            raise DoNotRetry("A file of the source is there no more.") from error
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DoNotRetry("A file of the source is damaged.") from error
        except OSError as error:
            raise ConnectionAway(f"The connection {self._name} cannot be read: {type(error).__name__}.") from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] in _NETWORK:
                raise ConnectionAway(f"The connection {self._name} does not answer.") from error
            raise


def read(
    connection: Connection,
    path: str,
    *,
    most: int,
    columns: Sequence[str] | None = None,
    format: Format | None = None,  # noqa: A002  # as a source has it
) -> Iterator[Records]:
    """The records of these columns in all files of the path, up to `most` at a time; what is none is passed over."""
    given = SourceGiven(connection=connection.name, path=path, format=format)
    for batch in Reading(connection, given).batches(Place(), most=most, columns=columns):
        if len(batch.piece.records):
            yield batch.piece.records


_NETWORK = frozenset({"botocore", "aiobotocore", "aiohttp", "fsspec", "s3fs"})


def _spot_in(file: File, after: Place) -> Spot:
    if file.name != after.file:
        return Spot()
    if file.size != after.size:
        raise DoNotRetry("A file of the source has changed while it was copied.")
    return after.spot
