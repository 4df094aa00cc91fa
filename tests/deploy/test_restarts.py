"""Readers behind a proxy miss nothing while the proxy reloads, and while one API after the other is restarted."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from jobs.connection import connect
from jobstream.client import AsyncClient, Job
from tests.chaos.arena import ended_by
from tests.chaos.machine import program
from tests.cuts.author import Author, PatientDoors
from tests.cuts.conftest import LEASE_SECONDS
from tests.cuts.crowd import Crowd, new_authors, polled, reading
from tests.deploy.front import FRONTS, Front, Nginx, running_front
from tests.deploy.site import Site, running_site
from tests.figures import Say
from tests.system import SECRET
from tests.transports.reference import told
from tests.valkey import running_valkey

JOBS = 2
WHILE = 30
"""So many updates are read, by everybody, before anything else happens."""

ENDINGS = signal.SIGTERM, signal.SIGKILL
LONGEST_SECONDS = 150.0
"""Two restarts on a slow machine."""


class HastyNginx(Nginx):
    """nginx that ends its old processes a second after a reload."""

    shutdown_timeout = "1s"


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's Redis, for jobs that no worker takes."""
    with running_valkey(tmp_path_factory.mktemp("store"), program=program("redis-server", "redis-server")) as store:
        yield store.url


@pytest.fixture(scope="module")
def unstaffed(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two APIs that a test may end, if it starts them again; jobs are written by hand."""
    with running_site(tmp_path_factory.mktemp("unstaffed") / "site", store_url, staffed=False) as site:
        yield site


@pytest.fixture
async def authors(unstaffed: Site, store_url: str) -> AsyncIterator[list[Author]]:
    """Who writes the jobs."""
    async with connect(store_url) as client:
        yield await new_authors(unstaffed.urls[0], PatientDoors(client, LEASE_SECONDS), jobs=JOBS, seed=1)


@pytest.mark.parametrize("kind", FRONTS.values(), ids=FRONTS)
async def test_every_reader_goes_on_while_one_api_after_the_other_is_restarted(
    kind: type[Front], unstaffed: Site, authors: list[Author], tmp_path: Path, say: Say
) -> None:
    """Ended in order, and killed; those whose connection went with it have missed nothing and heard nothing twice."""
    with running_front(kind, tmp_path / "front", unstaffed.ports) as front:
        async with _reading(front, authors) as crowd:
            before = sum(crowd.connections)
            for api, how in zip(unstaffed.apis, ENDINGS, strict=True):
                written = [author.seq for author in authors]
                await ended_by(api, how)
                await crowd.write_until(lambda written=written: _further(authors, written), seconds=LONGEST_SECONDS)
                api.start()
                await asyncio.to_thread(unstaffed.wait_for_apis)
            again = sum(crowd.connections) - before

        assert again >= len(crowd.streams)  # each was at the one API or the other
        assert crowd.faults(await polled(unstaffed.urls[0], authors)) == []
        say(f"behind {front.name}: {len(crowd.streams)} streams opened {again} times more in two restarts")


async def test_every_reader_goes_on_when_nginx_ends_its_old_processes(
    unstaffed: Site, authors: list[Author], tmp_path: Path
) -> None:
    """A reload, and then all who listened come back to the new ones."""
    with running_front(HastyNginx, tmp_path / "front", unstaffed.ports) as front:
        async with _reading(front, authors) as crowd:
            before = crowd.connections
            front.reload()
            await crowd.write_until(
                lambda: all(now > then for now, then in zip(crowd.connections, before, strict=True)),
                seconds=LONGEST_SECONDS,
            )
        assert crowd.faults(await polled(unstaffed.urls[0], authors)) == []


@pytest.mark.parametrize("kind", FRONTS.values(), ids=FRONTS)
async def test_a_reload_cuts_no_stream(
    kind: type[Front], unstaffed: Site, authors: list[Author], tmp_path: Path
) -> None:
    """Those who listen go on where they are, as long as the documented configuration lets them."""
    with running_front(kind, tmp_path / "front", unstaffed.ports) as front:
        async with _reading(front, authors) as crowd:
            before, written = crowd.connections, [author.seq for author in authors]
            front.reload()
            await crowd.write_until(lambda: _further(authors, written), seconds=LONGEST_SECONDS)
            assert crowd.connections == before


@asynccontextmanager
async def _reading(front: Front, authors: list[Author]) -> AsyncIterator[Crowd]:
    """Readers of every kind, and the Python client, all of whom have heard something; in the end the jobs end."""
    async with AsyncClient(front.url, SECRET, trusts=front.trusts) as client, asyncio.TaskGroup() as tasks:
        watches = [tasks.create_task(_watched(client, author.job_id)) for author in authors]
        async with reading(front.url, authors, trusts=front.trusts) as crowd:
            await crowd.catch_up()
            yield crowd
            await crowd.end()
        for watch in watches:
            job = await watch
            assert told(dict(job.snapshot)) == told(dict((await client.get(job.id)).snapshot))


async def _watched(client: AsyncClient, job_id: str) -> Job:
    """The job at its end, as the client has it."""
    async for job in client.watch(job_id, timeout=LONGEST_SECONDS):
        last = job
    return last


def _further(authors: list[Author], written: list[int]) -> bool:
    """Whether each has written on for a while."""
    return all(author.seq > then + WHILE for author, then in zip(authors, written, strict=True))
