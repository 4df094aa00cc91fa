"""A program on the leash ends with the process that started it."""

import os
import signal
import subprocess
import sys

import pytest

from jobs import leash

STARTER = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid()), sys.executable, "-c", sys.argv[2]])
time.sleep(60)
"""
TIED = "import sys; from jobs import leash; leash.main(int(sys.argv[1]), sys.argv[2:])"
WATCHED = "import sys; from jobs import leash; sys.exit(leash.watch(int(sys.argv[1]), sys.argv[2:]))"
PROGRAM = "import time; print('runs', flush=True); time.sleep(30); print('outlived its starter')"


@pytest.mark.parametrize("leashed", [TIED, WATCHED], ids=["tied by the kernel", "watched"])
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_ends_when_its_starter_is_killed(leashed: str, end: signal.Signals) -> None:
    """The pipe comes to its end when the last process that could write to it is gone."""
    command = [sys.executable, "-c", STARTER, leashed, PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as starter:
        assert starter.stdout
        assert starter.stdout.readline() == b"runs\n"

        starter.send_signal(end)

        assert starter.stdout.read() == b""


def test_a_program_is_not_run_for_a_starter_that_is_already_gone() -> None:
    """The kernel tells only of deaths to come, so one in the past must be noticed otherwise."""
    not_its_starter = os.getppid()
    command = [sys.executable, leash.__file__, str(not_its_starter), "echo", "runs"]

    ended = subprocess.run(command, capture_output=True, check=False, timeout=60)

    assert (ended.returncode, ended.stdout) == (1, b"")
