"""`serve` and `worker`: the product's own processes, with nothing in between."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.system import ROOT, Process, System, wait_until
from tests.valkey import running_valkey

STOP_SECONDS = 30.0


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A product whose API and worker were started by hand."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "store").mkdir(mode=0o700)
    with running_valkey(folder / "store") as store:
        system = System(folder, store, pace=0.05, settings={"PYTHONPATH": str(ROOT), "JOBSTREAM_SLOTS": "1"})
        host, port = system.url.removeprefix("http://").split(":")
        system.api = system.process("api", "-m", "jobstream", "serve", "--host", host, "--port", port)
        system.worker = system.process("worker", "-m", "jobstream", "worker", "--slots", "7")
        system._environment["PORT"] = "1"
        processes = (system.sandbox, system.api, system.worker)
        try:
            for process in processes:
                process.start()
            system.wait_until_ready()
            yield system
        finally:
            for process in processes:
                process.kill()


def test_jobs_run_on_what_was_started_by_hand(typed: System, tmp_path: Path) -> None:
    """What the options say goes before the environment."""
    shell = Shell(typed.url, tmp_path)

    said = shell.run("submit", "chat", "--input", '{"message": "Hello"}', "--watch")

    assert said.code == 0, said.beside
    wait_until(lambda: '"slots": 7' in typed.worker.output.read_text(), STOP_SECONDS, typed.worker.output.read_text)


def test_each_is_the_process_itself(typed: System) -> None:
    """No parent stands between it and its signals."""
    assert _words(typed.api)[-2:] == ["-m", "service"]
    assert _words(typed.worker)[-2:] == ["arq", "workers.main.WorkerSettings"]
    assert _children(typed.api) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", ["api", "worker"])
def test_each_stops_in_order_when_it_is_told(typed: System, name: str, number: signal.Signals) -> None:
    process: Process = getattr(typed, name)

    code = process.end(number)

    process.start()
    typed.wait_until_ready()
    assert code == 0


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        (["worker"], {"JOBSTREAM_SLOTS": "0"}),
        (["worker"], {"REDIS_URL": "redis://192.0.2.1"}),
        (["serve", "--host", "192.0.2.1"], {"JOBSTREAM_DEMO": "1"}),
        (["serve"], {"JOBSTREAM_QUEUE_CAP": "0"}),
    ],
    ids=str,
)
def test_a_setting_that_cannot_stand_is_their_own_exit_code(
    tmp_path: Path, words: list[str], variables: dict[str, str]
) -> None:
    said = Shell("http://127.0.0.1:1", tmp_path).run(*words, **variables)

    assert said.code == 78
    assert "cannot start" in said.beside


def test_a_folder_full_of_others_names_is_no_trap(tmp_path: Path) -> None:
    """What lies in the folder is not taken for the product's."""
    for name in ("service", "jobs", "workers", "arq"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit('a trap')")

    said = Shell("http://127.0.0.1:1", tmp_path).run("worker", JOBSTREAM_SLOTS="0", PYTHONSAFEPATH="1")

    assert said.code == 78
    assert "jobstream_slots" in said.beside


def test_the_leash_holds_what_was_started_by_hand(tmp_path: Path) -> None:
    """Who starts them so is outlived by none: it goes with the process, whatever that becomes."""
    starter = (
        "import os, subprocess, sys, time\n"
        "leash = [sys.executable, '-m', 'jobs.leash', str(os.getpid())]\n"
        "print(subprocess.Popen([*leash, sys.executable, '-m', 'jobstream', 'worker']).pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "REDIS_URL": f"unix://{tmp_path}/nothing.sock",
        "PYTHONPATH": str(ROOT),
    }
    system = Process("starter", tmp_path, [sys.executable, "-c", starter], environment)
    system.start()
    try:
        wait_until(lambda: "the store does not answer" in system.output.read_text(), STOP_SECONDS * 2)
        worker = int(system.output.read_text().split()[0])
    finally:
        system.kill()

    wait_until(lambda: not Path(f"/proc/{worker}/cmdline").exists() or not _cmdline(worker), STOP_SECONDS)


def _words(process: Process) -> list[str]:
    return _cmdline(process.pid)


def _cmdline(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0") if pid else []
    except OSError:
        return []


def _children(process: Process) -> list[str]:
    return Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
