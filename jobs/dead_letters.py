"""Dead letters: jobs whose run failed for good, kept for inspection, retry or deletion."""

from collections import Counter

from jobs import keys
from jobs.connection import Client
from jobs.index import Index, Listed
from jobs.model import JsonObject


class DeadLetters:
    """The dead letters of one store, newest first."""

    def __init__(self, client: Client) -> None:
        self._index = Index(client, keys.DEAD_LETTERS)

    async def page(
        self, *, limit: int, after: str | None = None, kind: str | None = None, subject: str | None = None
    ) -> list[Listed]:
        """Up to `limit` letters that come after the cursor, of the kind and the subject where those are given."""
        found: list[Listed] = []
        async for letter in self._index.newest(after=after):
            if kind in (None, letter.kind) and subject in (None, letter.subject):
                found.append(letter)
                if len(found) == limit:
                    break
        return found

    async def groups(self, *, kind: str | None = None, subject: str | None = None) -> list[JsonObject]:
        """How many letters there are of each kind and error type, most first."""
        letters = await self.page(limit=1_000_000, kind=kind, subject=subject)
        counts = Counter((letter.kind, letter.error_type) for letter in letters)
        return [
            {"kind": each, "error_type": error_type, "count": count}
            for (each, error_type), count in counts.most_common()
        ]
