"""systemd takes the documented units, and finds little that they may do beyond their work."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.server import GRACE_SECONDS
from tests.chaos.machine import program
from tests.deploy.front import DEPLOY
from tests.system import ROOT

UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
HOME = "/opt/jobstream"
MOST_EXPOSED = "20"
"""Of 100; a unit without any bounds has 96."""

PR_SET_MDWE = 65
REFUSE_EXEC_GAIN = 1


@pytest.fixture
def units(tmp_path: Path) -> list[str]:
    """The units with this project in place of the one that they run."""
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace(HOME, str(ROOT)))
    return [str(tmp_path / unit.name) for unit in UNITS]


def test_systemd_finds_nothing_wrong_with_the_units(units: list[str]) -> None:
    """Every word is known, and every program is there."""
    analyze = program("systemd-analyze", "systemd")
    ran = subprocess.run([analyze, "verify", "--man=no", *units], capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_units_may_do_little(units: list[str]) -> None:
    """As systemd itself scores it."""
    analyze = program("systemd-analyze", "systemd")
    for unit in units:
        how = ["security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", unit]
        ran = subprocess.run([analyze, *how], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout[-200:]


def test_a_unit_waits_longer_than_its_process_takes_to_stop() -> None:
    """Nothing that ends in order is killed."""
    for unit in UNITS:
        (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.MULTILINE)
        assert int(seconds) > GRACE_SECONDS + 5


@pytest.mark.parametrize("module", ["service.__main__", "workers.main", "jobs.store", "pyarrow.parquet", "PIL.Image"])
def test_the_processes_need_no_memory_that_is_writable_and_executable(module: str, tmp_path: Path) -> None:
    """As MemoryDenyWriteExecute= has it; the kernel refuses it here in the same way."""
    script = (
        f"import ctypes, sys\nif ctypes.CDLL(None).prctl({PR_SET_MDWE}, {REFUSE_EXEC_GAIN}, 0, 0, 0): sys.exit(99)\n"
        f"import uvloop, {module}\nuvloop.new_event_loop().close()"
    )
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "JOBSTREAM_DATA": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)

    if ran.returncode == 99:
        pytest.skip("this kernel is older than 6.3")
    assert ran.returncode == 0, ran.stderr
