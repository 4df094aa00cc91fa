"""Run a program that ends with the process that started it: `leash.py STARTER-PID PROGRAM [ARGUMENT ...]`.

A program of its own, run by its path and with the standard library alone: between fork and exec of a process
with threads (`preexec_fn`) Python code may deadlock, and a fresh interpreter takes 20 ms.
"""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress

PR_SET_PDEATHSIG = 1  # linux/prctl.h
WATCH_SECONDS = 0.2


def main(starter: int, program: list[str]) -> None:
    """Become the program; it gets SIGTERM when the starter is gone, and its files are its user's alone."""
    os.umask(0o077)
    if sys.platform == "linux":
        tie(starter)
        os.execvp(program[0], program)  # noqa: S606  # the starter's own words, no shell in between
    sys.exit(watch(starter, program))


def tie(starter: int) -> None:
    """Have the kernel send this process SIGTERM when the thread that started it ends, however it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM):
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != starter:  # it ended before the kernel knew
        sys.exit(f"process {starter} is gone: nothing to run for")


def watch(starter: int, program: list[str]) -> int:
    """Run the program as a child and end it when the starter is gone; for systems without the tie (macOS).

    SIGKILL for this watcher leaves the program alone in the world; nothing there can prevent it.
    """
    with subprocess.Popen(program, close_fds=False) as child:  # noqa: S603  # as above
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        while child.poll() is None:
            if os.getppid() != starter:
                child.terminate()
            with suppress(subprocess.TimeoutExpired):
                child.wait(WATCH_SECONDS)
        return child.returncode


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
