"""What a copy is, and the contract of who makes it: records go from files into a table, batch by batch."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, Field, StringConstraints

from jobs.model import Value

Format = Literal["parquet", "ndjson", "csv"]

CHECKPOINTS = "jobstream_checkpoints"
"""The table beside the others in which a destination remembers how far each copy is."""


def _a_table(name: str) -> str:
    schema, dot, table = name.partition(".")
    own = name.rpartition(".")[2].casefold() == CHECKPOINTS  # SQLite has it under every spelling
    if "\0" in name or own or not schema or (dot and not table):
        raise ValueError("no table may have this name")
    return name


def _columns(key: list[str]) -> list[str]:
    if len(set(key)) < len(key) or any("\0" in column for column in key):
        raise ValueError("each column counts once, and has a name that can be one")
    return key


ConnectionName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
Column = Annotated[str, StringConstraints(min_length=1, max_length=63)]

MOST_BATCH = 100_000
MOST_KEY_COLUMNS = 32


class Source(Value):
    """Files of a named connection: one, a folder, or a pattern; without `format`, each is what its name says."""

    connection: ConnectionName
    path: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    format: Format | None = None


class Destination(Value):
    """A table, or a collection, of a named connection."""

    connection: ConnectionName
    table: Annotated[str, StringConstraints(min_length=1, max_length=127), AfterValidator(_a_table)]


class Copy(Value):
    """What is copied where. Records with the same values of `key` are one; the later one wins."""

    source: Source
    destination: Destination
    key: Annotated[list[Column], Field(min_length=1, max_length=MOST_KEY_COLUMNS), AfterValidator(_columns)]
    batch_size: Annotated[int, Field(ge=1, le=MOST_BATCH, strict=True)] = 1000
    max_errors: Annotated[int, Field(ge=0, strict=True)] | None = None
    dry_run: Annotated[bool, Field(strict=True)] = False


@dataclass(frozen=True)
class Survey:
    """What there is to copy; `records` is None where only reading all of it would tell."""

    files: int
    bytes: int
    records: int | None


@dataclass(frozen=True)
class Counts:
    """How far a copy is; `share` is how much of the files' bytes is done, from 0 to 1."""

    inserted: int = 0
    updated: int = 0
    errors: int = 0
    share: float = 0.0

    @property
    def processed(self) -> int:
        return self.inserted + self.updated + self.errors


class Copying(Protocol):
    """How one job copies. Every act may fail because a connection does not answer; the next attempt goes on."""

    async def survey(self, source: Source) -> Survey:
        """What the source holds now; DoNotRetry where it holds nothing, or cannot be read by its rules."""

    async def copy(self, copy: Copy, name: str, told: Callable[[Counts], Awaitable[None]]) -> Counts:
        """The counts once all is copied; `told` gets them after each batch, and no batch follows until it returns.

        What was counted stays counted: a later attempt with the same `name` goes on after the last batch that the
        destination has. DoNotRetry where more records were set aside than the copy allows."""
