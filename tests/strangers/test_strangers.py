"""Clients of server-sent events from npm, which know nothing of us, get the whole text through cut connections."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api import Api, digest
from tests.client.proxy import Fate, open_proxy
from tests.system import SECRET, System

HERE = Path(__file__).parent
PLACES = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
PATIENCE_SECONDS = 120.0
PROMPT = "Tell me about lighthouses. " * 100
CUTS = [Fate(0, resets=True), Fate(900, resets=False), Fate(1700, resets=True), Fate(5000, resets=False)]
WHOLE = Fate(1 << 30, resets=False)


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with the clients installed."""
    found, npm = shutil.which("node", path=PLACES), shutil.which("npm", path=PLACES)
    assert found, "Node is not installed: `make install` brings it with the packages."
    assert npm
    if not (HERE / "node_modules").exists():
        environment = {**os.environ, "PATH": PLACES}
        subprocess.run([npm, "ci", "--silent"], cwd=HERE, env=environment, check=True, timeout=PATIENCE_SECONDS)
    return found


@pytest.mark.parametrize("client", ["eventsource", "eventsource-parser", "fetch-event-source"])
async def test_a_client_from_npm_gets_the_same_text(system: System, api: Api, node: str, client: str) -> None:
    """Each connection is cut somewhere else, cleanly or by a reset; nothing comes twice, and no word is missing."""
    job = await api.submit(PROMPT)
    async with open_proxy(system.url, fates=iter([*CUTS, *[WHOLE] * 10])) as proxy:
        stream = f"{proxy.url}/v1/jobs/{job['id']}/stream"
        listening = await asyncio.create_subprocess_exec(
            node, "listen.mjs", client, stream, SECRET, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                printed, complaint = await listening.communicate()
        finally:
            if listening.returncode is None:
                listening.kill()

    assert listening.returncode == 0, complaint.decode()
    ended = await api.poll(job["id"])
    assert sum(proxy.cuts.values()) >= 3
    assert {name: digest(said) for name, said in json.loads(printed).items()} == {
        name: part["sha256"] for name, part in ended["parts"].items()
    }
