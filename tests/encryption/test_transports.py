"""What holds for every transport holds over sealed logs, too: their own tests say so, run once more with a key."""

import os
import subprocess
import sys

from jobs.connection import Client
from tests.api import Api
from tests.conftest import TEST_ALL
from tests.encryption.holdings import everything
from tests.encryption.keys import ENCRYPTED
from tests.system import ROOT

LONGEST_SECONDS = 1800.0
SUITE = "tests/transports" if TEST_ALL else "tests/transports/test_stream.py"
"""All of them take minutes; any one shows that what a transport reads has been opened."""

CANARY = "canary-of-the-switch"


async def test_the_shared_service_seals_if_it_is_told_to(caller: Api, redis: Client) -> None:
    await caller.submit(CANARY)

    held = await everything(redis)

    assert (CANARY.encode() in held) is not ENCRYPTED
    assert (b"enc:v1:" in held) is ENCRYPTED


def test_the_transports_pass_their_tests_with_encryption_on() -> None:
    switched = f"tests/encryption/test_transports.py::{test_the_shared_service_seals_if_it_is_told_to.__name__}"
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", switched, SUITE],
        cwd=ROOT,
        env={**surroundings, "JOBSTREAM_TEST_ENCRYPTED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout[-8000:]
