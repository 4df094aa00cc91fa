"""The Python that the documents show does what they say, as printed."""

import os
import re
import subprocess
import sys
from contextlib import suppress

import pytest

from jobstream.client import Client, JobFailed
from tests.system import ROOT, SECRET, System

WATCH = ROOT / "docs" / "watch" / "python.py"
RECIPES = (ROOT / "docs" / "RECIPES.md").read_text()
BLOCKS = {
    heading: block
    for heading, section in re.findall(r"^## ([^\n]*)\n(.*?)(?=^## |\Z)", RECIPES, re.DOTALL | re.MULTILINE)
    for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    if "jobstream.client" in block
}


SAYS = {
    "Watch a job from Python": r"'openai': \{'ok': True",
    "Send an event from Python": r"EventJob\(id='[\w-]+', kind='chat'",
    "Look after dead letters from Python": r"\d+ chat [\w-]+\n(.|\n)*'message': 'Hello'(.|\n)* detail='",
}


def said(system: System, program: str) -> str:
    """What the program prints; it is told where the service is, and nothing else."""
    environment = {"PATH": os.environ["PATH"], "JOBSTREAM_URL": system.url, "JOBSTREAM_TOKEN": SECRET}
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_job_is_watched_in_ten_lines(system: System) -> None:
    program = WATCH.read_text()

    output = said(system, program)

    assert len(program.splitlines()) <= 10
    assert "\ncompleted {" in output
    assert output.count("\nverified\n") == 3


@pytest.mark.parametrize(("heading", "says"), SAYS.items())
def test_a_recipe_works_as_printed(system: System, heading: str, says: str) -> None:
    with Client(system.url, SECRET) as client, suppress(JobFailed):
        client.result(client.submit("chat", {"message": "Hello", "models": {"openai": "sandbox-400"}}))

    assert re.search(says, said(system, BLOCKS[heading]))


def test_every_recipe_is_run() -> None:
    assert SAYS.keys() == BLOCKS.keys()
