"""Parquet, by pyarrow: a row group is read a batch at a time, and never whole."""

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from jobs.errors import DoNotRetry
from jobs.records.extras import extra
from workers.source import MOST_BYTES, Piece, Spot

BUFFER_BYTES = 1024 * 1024


class Parquet:
    """Files of rows in columns; a line is a row."""

    def read(
        self, name: str, stream: BinaryIO, spot: Spot, *, most: int, columns: Sequence[str] | None = None
    ) -> Iterator[Piece]:
        with extra("lake"):
            import pyarrow as pa  # noqa: PLC0415  # an extra

            from workers.sources.arrow import ArrowRecords  # noqa: PLC0415
        file = _opened(name, stream)
        wanted = None if columns is None else [column for column in columns if column in file.schema_arrow.names]
        groups, line = _after(file, spot.line)
        try:
            at_once = min(most, _rows_of_a_batch(file, groups))
            for batch in file.iter_batches(at_once, row_groups=groups, columns=wanted, use_threads=False):
                first = max(spot.line - line, 0)
                line += len(batch)
                if first < len(batch):
                    rest = ArrowRecords.of(batch.slice(first), range(line - len(batch) + first + 1, line + 1))
                    yield Piece(rest, (), Spot(line))
        except (pa.ArrowException, OSError) as error:
            if _is_disk_s(error):
                raise
            raise DoNotRetry(f"{name} is damaged: it cannot be read after row {line}.") from error

    def count(self, stream: BinaryIO) -> int | None:
        return int(_opened("A file of the source", stream).metadata.num_rows)


def _opened(name: str, stream: BinaryIO) -> Any:
    with extra("lake"):
        import pyarrow as pa  # noqa: PLC0415  # an extra
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415
    try:
        return ParquetFile(stream, pre_buffer=False, buffer_size=BUFFER_BYTES)
    except (pa.ArrowException, OSError) as error:
        if _is_disk_s(error):
            raise
        raise DoNotRetry(f"{name} is no Parquet file.") from error


def _is_disk_s(error: Exception) -> bool:
    """Whether the error is that of who brings the bytes: pyarrow has plain ones for bytes that make no sense."""
    return isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None)


def _rows_of_a_batch(file: Any, groups: Sequence[int]) -> int:
    """How many rows of the groups are about as many bytes as a batch may have."""
    held = [file.metadata.row_group(group) for group in groups]
    largest = max((each.total_byte_size / each.num_rows for each in held if each.num_rows), default=0)
    return max(1, int(MOST_BYTES / max(largest, 1)))


def _after(file: Any, line: int) -> tuple[list[int], int]:
    """The row groups that are not wholly before the line, and where the first of them begins."""
    begins = 0
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if begins + rows > line:
            return [*range(group, file.num_row_groups)], begins
        begins += rows
    return [], begins
