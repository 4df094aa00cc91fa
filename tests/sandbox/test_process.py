"""The sandbox as a process."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

_STALL = {"model": "sandbox-stall", "input": "Hello", "stream": True}
_KEY = {"authorization": "Bearer any"}


@contextmanager
def _sandbox(**environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "sandbox"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr
            told = re.search(r"http://\S+", process.stderr.readline())
            assert told
            yield process, told[0]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_while_a_stream_is_open(number: signal.Signals) -> None:
    variables = {"JOBSTREAM_SANDBOX_URL": "http://127.0.0.1:0", "JOBSTREAM_SANDBOX_PACE": "0"}
    with _sandbox(**variables) as (process, url):
        with httpx2.stream("POST", f"{url}/v1/responses", headers=_KEY, json=_STALL) as stream:
            pieces = stream.iter_bytes()
            next(pieces)

            process.send_signal(number)

            assert process.wait(timeout=10) == 0
        assert process.stderr
        assert process.stderr.read() == ""


def test_a_taken_address_is_told_in_a_sentence() -> None:
    with _sandbox(JOBSTREAM_SANDBOX_URL="http://127.0.0.1:0") as (_, url):
        second = subprocess.run(
            [sys.executable, "-m", "sandbox"],
            env={"JOBSTREAM_SANDBOX_URL": url},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    assert second.returncode == 1
    assert "set JOBSTREAM_SANDBOX_URL" in second.stderr
    assert "Traceback" not in second.stderr
