"""`copy-records`: records from files of one named connection into a table of another, in batches that are kept."""

import secrets
import time
from dataclasses import asdict
from functools import partial

from pydantic import JsonValue

from jobs.copying import Copy, Counts, Source
from jobs.kind import DAY_SECONDS, MEBIBYTE, Kind, Run


async def perform(run: Run, copy: Copy) -> JsonValue:
    """The counts of what became of the records; an attempt goes on after the last batch that the table has."""
    survey = await run.step("survey", partial(_survey, run, copy.source))
    total = survey["records"]
    telling = Telling(run, total if isinstance(total, int) else None)
    counts = await run.copying.copy(copy, f"{run.job_id}:{survey['name']}", telling.tell)
    await telling.tell(counts)
    result: dict[str, JsonValue] = {**telling.counters(counts)}
    return result


async def _survey(run: Run, source: Source) -> dict[str, JsonValue]:
    """What there is to copy, and a name for the copy: one that is begun anew is another."""
    return {**asdict(await run.copying.survey(source)), "name": secrets.token_hex(8)}


class Telling:
    """Tells how far the copy is, how fast it goes, and how long it may yet take."""

    def __init__(self, run: Run, total: int | None) -> None:
        self._run = run
        self._total = total
        self._began: tuple[float, Counts] | None = None

    def counters(self, counts: Counts) -> dict[str, int]:
        """What became of the records so far; the total where it is known."""
        total = {} if self._total is None else {"total": self._total}
        return {
            **total,
            "processed": counts.processed,
            "inserted": counts.inserted,
            "updated": counts.updated,
            "errors": counts.errors,
        }

    async def tell(self, counts: Counts) -> None:
        """One batch more is done, and will not be done again."""
        share = counts.share if not self._total else min(counts.processed / self._total, 1.0)
        await self._run.progress(
            percent=round(100 * share, 1),
            message=self._message(counts, share),
            counters=self.counters(counts),
            kept=True,
        )

    def _message(self, counts: Counts, share: float) -> str:
        of_all = "" if self._total is None else f" of {self._total:,}"
        return f"Copied {counts.processed:,}{of_all} records{self._pace(counts, share)}"

    def _pace(self, counts: Counts, share: float) -> str:
        """How fast it goes, counted from the first batch of this attempt, and how long the rest takes like that."""
        if self._began is None:
            self._began = time.monotonic(), counts
            return ""
        began, first = self._began
        rate = (counts.processed - first.processed) / max(time.monotonic() - began, 0.001)
        if rate < 1 or share <= 0:
            return ""
        left = counts.processed * (1 / share - 1) / rate
        return f", {rate:,.0f} a second" + (f", about {_spelled(left)} left" if share < 1 else "")


def _spelled(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


COPY_RECORDS = Kind(
    name="copy-records",
    input=Copy,
    perform=perform,
    summary="Records from files (Parquet, NDJSON, CSV) into a table of PostgreSQL, MongoDB or SQLite.",
    retention_seconds=7 * DAY_SECONDS,
    timeout_seconds=None,
    concurrency=8,
    body_limit=MEBIBYTE,
)
