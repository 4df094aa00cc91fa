"""Processes that are given keys which cannot be right don't start, and say why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.connection import Client
from tests.encryption.keys import FIRST, SECOND
from tests.jobs.patience import PATIENCE_SECONDS, until
from tests.system import ROOT, Process, free_port
from tests.valkey import ValkeyProcess

EX_CONFIG = 78
COMMANDS = {"api": ("-m", "service"), "worker": ("-m", "arq", "workers.main.WorkerSettings")}
READY = {"api": "serving", "worker": "worker ready"}


def environment(folder: Path, store: ValkeyProcess, **settings: str) -> dict[str, str]:
    """What the process is told; it looks for `.env` in a folder that has none."""
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), "PORT": str(free_port())}
    return {**own, "REDIS_URL": store.url, "BACKGROUND_FUNCTION_AUTH_TOKEN": "secret", **settings}


def run(which: str, folder: Path, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The process, which is to end by itself."""
    command = [sys.executable, *COMMANDS[which]]
    return subprocess.run(
        command, cwd=folder, env=given, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


@pytest.mark.parametrize("which", COMMANDS)
def test_a_bad_key_is_a_sentence_and_exit_code_78(which: str, tmp_path: Path, store: ValkeyProcess) -> None:
    bad = "not-quite-a-key-but-a-secret"

    ended = run(which, tmp_path, environment(tmp_path, store, DATA_ENCRYPTION_KEY=bad))

    assert ended.returncode == EX_CONFIG
    assert "data_encryption_key" in ended.stderr
    assert "32 bytes" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert bad not in ended.stdout + ended.stderr


@pytest.mark.parametrize("which", COMMANDS)
async def test_a_store_that_is_sealed_with_another_key_is_refused(
    which: str, tmp_path: Path, store: ValkeyProcess, redis: Client
) -> None:
    """Also by a process that has none; with that one behind the new one, it starts."""
    first = Process("first", tmp_path, [sys.executable, *COMMANDS[which]], environment(tmp_path, store))
    first._environment["DATA_ENCRYPTION_KEY"] = FIRST
    first.start()
    try:
        await until(lambda: _says(first, READY[which]))
    finally:
        first.end()

    for other in ({"DATA_ENCRYPTION_KEY": SECOND}, {}):
        refused = run(which, tmp_path, environment(tmp_path, store, **other))

        assert refused.returncode == EX_CONFIG
        assert "was sealed with another key" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert SECOND not in refused.stdout + refused.stderr

    first._environment["DATA_ENCRYPTION_KEY"] = f"{SECOND},{FIRST}"
    first.output.write_text("")
    first.start()
    try:
        await until(lambda: _says(first, READY[which]))
    finally:
        first.end()


async def _says(process: Process, words: str) -> bool:
    return words in process.output.read_text()
