"""The product's processes with a bug in them that quotes what it was given: `python -m tests.secrecy.faulty BUG`."""

import runpy
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from service.routes import health
from workers.run import JobRun
from workers.worker import JobWorker

WORDS = "-".join(("what", "nobody", "may", "read"))  # not whole in the source, lines of which are told


async def quote(*given: object, **_named: object) -> Any:
    """Fails as careless code does: with what it was given in its message."""
    raise ValueError(f"{WORDS}: cannot handle {given!r}")


async def crash(*_given: object) -> NoReturn:
    """Ends the process as a bug in its loop does."""
    raise RuntimeError(WORDS)


def api() -> None:
    """`/readyz` fails."""
    health.takes_writes = quote  # type: ignore[attr-defined]
    run("service")


def job() -> None:
    """Every question of a job fails."""
    JobRun.ask = quote  # type: ignore[method-assign]
    run("arq", "workers.main.WorkerSettings")


def loop() -> None:
    """The worker ends by itself."""
    JobWorker._run_jobs = crash  # type: ignore[method-assign,assignment]
    run("arq", "workers.main.WorkerSettings")


def whole() -> None:
    """The API without a fault, where Sentry's library is not installed."""
    sys.modules["sentry_sdk"] = None  # type: ignore[assignment]
    run("service")


def run(module: str, *arguments: str) -> None:
    """As `python -m` does."""
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__")


BUGS: Mapping[str, Callable[[], None]] = {"api": api, "job": job, "loop": loop, "no-sentry": whole}

if __name__ == "__main__":
    BUGS[sys.argv[1]]()
