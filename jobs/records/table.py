"""What must be known of a destination before anything is written to it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from jobs.errors import DoNotRetry


class NoUniqueKey(DoNotRetry):
    """The table is there, and nothing keeps `key` unique in it: give it a primary key or a unique index on it."""

    title = "The table has no unique index on the key"


@dataclass(frozen=True)
class Table:
    """A table that is there: its columns and their types by name, and which sets of them are unique."""

    columns: Mapping[str, str]
    unique: Collection[frozenset[str]]

    def check(self, key: Collection[str]) -> None:
        """NoUniqueKey unless the key's values are unique."""
        if frozenset(key) not in self.unique:
            raise NoUniqueKey("The table has no primary key and no unique index on exactly the columns of key.")


def quoted(name: str) -> str:
    """The name as an identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
