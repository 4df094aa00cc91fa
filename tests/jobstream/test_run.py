"""`make run`: what it sets where nothing is set, what it starts, and that nothing of it stays."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from jobstream import samples
from jobstream.run import SANDBOX_URL, Settings, first_visit, processes
from tests.system import ROOT, free_port, wait_until

DEMO = {"JOBSTREAM_DEMO": "1", "JOBSTREAM_OPERATOR": "1"}
SAMPLES = samples.connections(Path(".jobstream"))
READY_SECONDS, STOP_SECONDS = 60.0, 30.0


@pytest.mark.parametrize(
    ("given", "added"),
    [
        ({}, {**DEMO, "JOBSTREAM_SANDBOX_URL": SANDBOX_URL, **SAMPLES}),
        ({"ANTHROPIC_API_KEY": "a key"}, {**DEMO, **SAMPLES}),
        ({"ANTHROPIC_API_KEY": ""}, {**DEMO, "JOBSTREAM_SANDBOX_URL": SANDBOX_URL, **SAMPLES}),
        ({"JOBSTREAM_CONNECTION_LAKE": "s3://a", "OPENAI_API_KEY": "a key"}, DEMO),
        ({"JOBSTREAM_DEMO": "0", "JOBSTREAM_SANDBOX_URL": "http://127.0.0.1:1"}, {}),
    ],
)
def test_only_what_is_not_set_is_set(given: Settings, added: dict[str, str]) -> None:
    """Nobody's choice is overruled, and no key goes unused."""
    assert first_visit(given) == added


@pytest.mark.parametrize(
    ("settings", "started"),
    [
        ({"JOBSTREAM_SANDBOX_URL": SANDBOX_URL}, ["api", "worker", "sandbox", "store"]),
        ({"REDIS_URL": "redis://127.0.0.1"}, ["api", "worker"]),
    ],
)
def test_only_what_is_needed_is_started(settings: Settings, started: list[str]) -> None:
    """The API comes first, where honcho leaves PORT as it is."""
    assert processes(settings) == started


def interrupt(honcho: int) -> None:
    """What Ctrl-C does: the signal reaches all of the terminal's group."""
    os.killpg(honcho, signal.SIGINT)


def hang_up(honcho: int) -> None:
    """What closing the terminal does."""
    os.killpg(honcho, signal.SIGHUP)


def terminate(honcho: int) -> None:
    """What whoever supervises it does."""
    os.kill(honcho, signal.SIGTERM)


@pytest.mark.parametrize("end", [interrupt, hang_up, terminate])
def test_nothing_stays_when_it_is_ended(end: Callable[[int], None], tmp_path: Path) -> None:
    """Every process that it names as started is gone, and so is the store's server."""
    port = free_port()
    output = tmp_path / "output"
    settings = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "JOBSTREAM_DATA": str(tmp_path / "data"),
        "JOBSTREAM_SANDBOX_URL": f"http://127.0.0.1:{free_port()}",
    }
    with output.open("wb") as out:
        honcho = subprocess.Popen(
            [sys.executable, "-m", "jobstream.run"], cwd=ROOT, env=settings, stdout=out, start_new_session=True
        )
    try:
        wait_until(lambda: is_ready(port), READY_SECONDS, output.read_text)
        started = {int(pid) for pid in re.findall(r"started \(pid=(\d+)\)", output.read_text())}
        assert len(started) == 4

        end(honcho.pid)

        honcho.wait(STOP_SECONDS)
        wait_until(lambda: not any(is_alive(pid) for pid in started), STOP_SECONDS, output.read_text)
        wait_until(lambda: not (tmp_path / "data" / "valkey.sock").exists(), STOP_SECONDS, output.read_text)
    finally:
        honcho.kill()
        honcho.wait(STOP_SECONDS)


def is_ready(port: int) -> bool:
    """The API answers, and so does the store."""
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx2.HTTPError:
        return False


def is_alive(pid: int) -> bool:
    """Some process has this id and is not merely unburied."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_there_is_something_to_copy_on_a_first_visit(tmp_path: Path) -> None:
    """A file of customers, some of whom no table can take; what lies in the lake stays as it is."""
    samples.write_lake(tmp_path)
    customers = tmp_path / "lake" / "customers.csv"
    header, *rows = customers.read_text().splitlines()
    customers.write_text("mine")

    samples.write_lake(tmp_path)

    assert (header, len(rows)) == ("id,name,town,plan,since,spent", samples.CUSTOMERS)
    assert any(row.startswith(",") for row in rows)
    assert customers.read_text() == "mine"
