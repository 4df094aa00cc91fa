"""Readers over every transport at once, and authors who do not run away from them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

from jobs.model import JsonObject
from tests.api import Api, digest
from tests.cuts.author import Author, PatientDoors, new_author
from tests.cuts.holding import Holding
from tests.cuts.reader import Reader
from tests.cuts.readers import OF_MANY_JOBS, OF_ONE_JOB
from tests.jobs.patience import until
from tests.system import SECRET
from tests.transports.reference import told

MOST_BEHIND = 50
"""How many updates a reader may miss before its author waits: fewer than a snapshot would be cheaper than."""

PATIENCE_SECONDS = 120.0


class Crowd:
    """All who read a few jobs."""

    def __init__(self, url: str, authors: Sequence[Author], *, each: int, trusts: ssl.SSLContext | None) -> None:
        ids = [author.job_id for author in authors]
        self.authors = authors
        self.readers = [
            kind(url, [job_id], trusts=trusts) for kind in OF_ONE_JOB for job_id in ids for _ in range(each)
        ]
        self.readers += [kind(url, ids, trusts=trusts) for kind in OF_MANY_JOBS for _ in range(each)]

    @property
    def streams(self) -> list[Reader]:
        """Those who are told by themselves."""
        return [reader for reader in self.readers if reader.streams]

    @property
    def connections(self) -> list[int]:
        """How many each of those has needed so far."""
        return [reader.connections for reader in self.streams]

    @property
    def updates(self) -> int:
        """How many were heard, by whoever is given each."""
        return sum(len(holding.seqs) for reader in self.readers if reader.exact for holding in holdings([reader]))

    @property
    def gaps(self) -> list[str]:
        """Why readers were given a snapshot instead of what they missed."""
        return [reason for holding in holdings(self.readers) for reason in holding.reasons[1:]]

    async def write_until(self, enough: Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
        """Write all the jobs, as fast as they are read."""
        async with asyncio.timeout(seconds):
            while not enough():
                for author in self.authors:
                    await self.keep_up_with(author)
                    await author.go_on()

    async def keep_up_with(self, author: Author, *, behind: int = MOST_BEHIND) -> None:
        """Return when no reader who is given each update misses more than so many."""
        exact = [reader for reader in self.readers if reader.exact and author.job_id in reader.holdings]

        async def near() -> bool:
            return all(reader.holdings[author.job_id].seq >= author.seq - behind for reader in exact)

        await until(near, seconds=PATIENCE_SECONDS)

    async def catch_up(self) -> None:
        """Return when they have heard all that was written."""
        for author in self.authors:
            await self.keep_up_with(author, behind=0)

    async def end(self) -> None:
        """Let every job end, and return when every reader has heard it."""
        for author in self.authors:
            await author.end()

        async def done() -> bool:
            return all(reader.done for reader in self.readers)

        await until(done, seconds=PATIENCE_SECONDS)

    def lags(self) -> list[float]:
        """How many seconds after it was written each update came by a stream, least first."""
        written = {author.job_id: author.written_at for author in self.authors}
        return sorted(
            heard - written[holding.job_id][seq]
            for holding in holdings(self.streams)
            for seq, heard in zip(holding.seqs[1:], holding.heard_at[1:], strict=True)
        )

    def faults(self, polled: Iterable[JsonObject]) -> list[str]:
        """What a reader lost, was given twice or in another order, or holds otherwise than who polls."""
        truths = {snapshot["id"]: told(snapshot) for snapshot in polled}
        return [
            f"{type(reader).__name__} of {holding.job_id} has {fault}"
            for reader in self.readers
            for holding in holdings([reader])
            for fault in _faults(holding, truths[holding.job_id], exact=reader.exact)
        ]


def holdings(readers: Iterable[Reader]) -> list[Holding]:
    """What the readers have of each of their jobs."""
    return [holding for reader in readers for holding in reader.holdings.values()]


def _faults(holding: Holding, truth: JsonObject, *, exact: bool) -> Iterable[str]:
    if exact and holding.seqs != [*range(holding.seqs[0], truth["seq"] + 1)]:
        yield "an update missing, doubled or out of order"
    if _texts(holding.held) != _texts(truth):
        yield "another text than polling"
    if holding.held | {"cursor": None} != truth | {"cursor": None}:  # on one connection for many it is not told
        yield "another job than polling"


def _texts(snapshot: JsonObject) -> dict[str, str]:
    return {name: digest(part["text"]) for name, part in snapshot["parts"].items()}


@asynccontextmanager
async def reading(
    url: str, authors: Sequence[Author], *, each: int = 1, trusts: ssl.SSLContext | None = None
) -> AsyncIterator[Crowd]:
    """Readers of these jobs by that way, at work; their jobs are to end before the block does."""
    crowd = Crowd(url, authors, each=each, trusts=trusts)
    async with asyncio.TaskGroup() as tasks:
        for reader in crowd.readers:
            tasks.create_task(reader.read())
        yield crowd


async def new_authors(url: str, doors: PatientDoors, *, jobs: int, seed: int) -> list[Author]:
    """So many jobs, each with who writes it."""
    async with Api(url, SECRET) as api:
        return [await new_author(api, doors, seed=seed + at) for at in range(jobs)]


async def polled(url: str, authors: Iterable[Author]) -> list[JsonObject]:
    """The jobs as polling returns them."""
    async with Api(url, SECRET) as api:
        return [await api.poll(author.job_id) for author in authors]
