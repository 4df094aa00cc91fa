"""docs/COMMAND_LINE.md: its lines work as printed, and its tables are the code's."""

import os
import re
import subprocess
import sys

from jobstream.exits import Exit
from tests.cli.shell import PATIENCE_SECONDS, Shell
from tests.cli.test_jobs import REFUSED, chat
from tests.system import ROOT, SECRET, System

PAGE = (ROOT / "docs" / "COMMAND_LINE.md").read_text()
README = (ROOT / "README.md").read_text()
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
STARTED = "The processes"
"""Run by the tests of the processes and of the demo."""

ROOMS = ("jobs", "service", "workers")


def test_every_line_works_as_printed(shell: Shell, system: System) -> None:
    """One after the other, in one shell."""
    chat(shell, "Nobody answers", REFUSED, "--wait", "60", expects=1)
    (shell.folder / ".jobstream").mkdir()
    (shell.folder / ".jobstream" / "demo-secret").write_text(SECRET)
    blocks = [
        block for name, text in SECTIONS.items() if name not in {STARTED, "Doctor"} for block in BLOCK.findall(text)
    ]
    (readme,) = BLOCK.findall(README.partition("## From a terminal")[2].partition("\n## ")[0])
    script = "".join([*BLOCK.findall(PAGE.partition("\n## ")[0]), readme, *blocks]).replace(
        "http://localhost:8888", system.url
    )
    (shell.folder / "jobstream").write_text(f'#!/bin/sh\nexec {sys.executable} -m jobstream "$@"\n')
    (shell.folder / "jobstream").chmod(0o700)

    ran = subprocess.run(
        ["bash", "-euxc", script + "true"],
        cwd=shell.folder,
        env=shell.environment | {"PATH": f"{shell.folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE_SECONDS,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert '"event":"end"' in ran.stdout
    assert "_JOBSTREAM_COMPLETE" in ran.stdout


def test_the_lines_of_the_doctor_are_understood(shell: Shell) -> None:
    """What they find, others look at."""
    lines = [line.split() for block in BLOCK.findall(SECTIONS["Doctor"]) for line in block.splitlines()]

    assert [shell.run(*words[1:]).code for words in lines] == [Exit.MISCONFIGURED] * len(lines)


def test_the_lines_of_the_processes_are_those_that_are_tested() -> None:
    (block,) = BLOCK.findall(SECTIONS[STARTED])

    assert [line.split()[1] for line in block.splitlines()] == ["serve", "worker", "demo"]


def test_the_table_of_exit_codes_is_the_codes() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE)

    assert rows == [(str(code.value), code.meaning) for code in Exit]


def test_every_code_of_the_doctor_is_in_its_table() -> None:
    table = set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| (`.*?) \|", SECTIONS["Doctor"], re.MULTILINE))))
    makers = ["jobs/findings.py", "jobs/fitness.py", *(f"{room}/checkup.py" for room in ROOMS)]
    makers += ["jobstream/examinations.py", "jobstream/variables.py", "jobstream/commands/doctor.py"]
    made = re.compile(r'(?:Finding\(\s*(?:code=)?|_of\(|_CODES = {"\w+": |_OTHERWISE = )"([a-z-]+)"')
    sources = [(ROOT / maker).read_text() for maker in makers]

    assert {code for source in sources for code in made.findall(source)} == table
