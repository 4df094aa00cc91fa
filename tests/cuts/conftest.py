"""What the tests of cuts ask for: a store that loses nothing."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from jobs.connection import connect
from tests.cuts.author import PatientDoors
from tests.valkey import ValkeyProcess, running_valkey

SEED = int(os.environ.get("JOBSTREAM_CUTS_SEED", "1"))
"""Decides everything that chance decides; a run that failed is run again by its seed."""

LEASE_SECONDS = 7200.0
"""Nobody renews what is written by hand."""


@pytest.fixture
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyProcess]:
    """A store that this test may kill; each write of it is on disk before it is acknowledged."""
    with running_valkey(tmp_path_factory.mktemp("store"), "--appendfsync", "always") as server:
        yield server


@pytest.fixture
async def own_doors(own_store: ValkeyProcess) -> AsyncIterator[PatientDoors]:
    """The ways into its jobs, for whoever plays the worker."""
    async with connect(own_store.url) as client:
        yield PatientDoors(client, LEASE_SECONDS)
