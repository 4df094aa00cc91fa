"""The page "watch a job in ten lines": each of its programs is the one in its file, and does what the page says."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.system import ROOT, SECRET, System

FOLDER = ROOT / "docs" / "watch"
PLACES = os.pathsep.join([os.environ["PATH"], str(Path(sys.executable).parent)])
PROGRAMS = {"curl.sh": "sh", "python.py": sys.executable, "javascript.js": "node"}
PATIENCE_SECONDS = 120.0


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
    environment = {**os.environ, "JOBSTREAM_URL": system.url, "JOBSTREAM_TOKEN": SECRET, "PATH": PLACES}

    ran = subprocess.run(
        [program, FOLDER / name],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert ("event: end" if name == "curl.sh" else "\nverified\n") in ran.stdout
    for provider in ("openai", "anthropic", "google"):
        assert provider in ran.stdout
