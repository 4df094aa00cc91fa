"""An environment of its own for what the peers need, made where it is missing, kept for the next run."""

import hashlib
import shutil
import subprocess
import venv
from pathlib import Path

from bench.engine.program import ROOT

HERE = Path(__file__).parent
FOLDER = ROOT / "build" / "bench"
INSTALL_SECONDS = 300.0


class Absent(Exception):
    """The peers cannot be measured here; the message says why."""


def python_of(peer: str) -> Path:
    """The interpreter that has the peer, as its lock file names it; Absent where it cannot be had."""
    lock = HERE / f"requirements-{peer}.txt"
    folder = FOLDER / f"{peer}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _install(python, lock)
        (folder / "complete").touch()
    return python


def _install(python: Path, lock: Path) -> None:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--require-hashes", "--requirement", str(lock)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise Absent("its packages did not come in time") from error
    except subprocess.CalledProcessError as error:
        raise Absent("its packages cannot be installed") from error
