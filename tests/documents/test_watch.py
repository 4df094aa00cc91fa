"""The page "watch a job in ten lines": each of its programs is the one in its file, and does what the page says."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE
from itertools import chain, pairwise, repeat
from pathlib import Path

import pytest

from tests.client.proxy import Fate, open_proxy
from tests.system import ROOT, SECRET, System, running_system

FOLDER = ROOT / "docs" / "watch"
PLACES = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
PROGRAMS = {"curl.sh": "sh", "python.py": sys.executable, "javascript.js": "node"}
PATIENCE_SECONDS = 120.0
WHOLE = re.compile(r"id: (\S+)\nevent: (\S+)\ndata: .*\}\n\n")
UNCUT = Fate(after=1 << 30, resets=False)
CUTS = [Fate(after, resets=False) for after in (2_500, 0, 700, 4_000, 730)]
"""Some come in the middle of an update, with whole ones before it; some before anything is whole."""


def surroundings(url: str, secret: str = SECRET) -> dict[str, str]:
    """What a program finds of the service."""
    return {**os.environ, "JOBSTREAM_URL": url, "JOBSTREAM_TOKEN": secret, "PATH": PLACES}


async def curled(url: str, secret: str = SECRET) -> tuple[int | None, str]:
    """How the program for curl ends, and what it shows."""
    environment = surroundings(url, secret)
    program = await asyncio.create_subprocess_exec("sh", FOLDER / "curl.sh", env=environment, stdout=PIPE)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            shown, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
    return program.returncode, shown.decode()


def test_the_page_shows_the_programs_as_they_are() -> None:
    """Every file of the folder, to the letter."""
    page = (ROOT / "docs" / "WATCH.md").read_text()

    assert {file.name for file in FOLDER.iterdir() if file.is_file()} == set(PROGRAMS)
    for name in PROGRAMS:
        assert f"\n{(FOLDER / name).read_text().rstrip()}\n```" in page


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_shows_the_job_to_its_end(name: str, system: System) -> None:
    """With three answers, whole."""
    program = shutil.which(PROGRAMS[name], path=PLACES)
    assert program, f"{PROGRAMS[name]} is not installed"

    ran = subprocess.run(
        [program, FOLDER / name],
        env=surroundings(system.url),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ("event: end" if name == "curl.sh" else "\nverified\n") in ran.stdout
    for provider in ("openai", "anthropic", "google"):
        assert provider in ran.stdout


async def test_curl_goes_on_after_the_last_whole_update(tmp_path: Path) -> None:
    """However its connections are cut, each update is shown whole once, by itself or within a snapshot."""
    with running_system(tmp_path, pace=2.0) as slow:
        async with open_proxy(slow.url, fates=chain([UNCUT], CUTS, repeat(UNCUT))) as proxy:
            status, shown = await curled(proxy.url)

    heard = [(int(cursor.rpartition("-")[2]), event) for cursor, event in WHOLE.findall(shown)]
    assert (status, heard[0][1], heard[-1][1]) == (0, "snapshot", "end")
    assert len(proxy.requests) > len(CUTS)
    for (before, _), (seq, event) in pairwise(heard):
        assert seq == before + 1 or (seq > before and event == "snapshot")


async def test_curl_says_that_it_was_refused(system: System) -> None:
    """A submission that came to nothing is nothing to watch."""
    status, shown = await curled(system.url, "wrong")

    assert (status, shown) == (22, "")
