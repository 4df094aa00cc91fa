"""An environment of its own for each peer, made where it is missing, kept for the next run."""

import hashlib
import shutil
import subprocess
import venv
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "build" / "bench"
INSTALL_SECONDS = 300.0


class Absent(Exception):
    """The peer cannot be measured here; the message says why."""


def python_of(peer: str, *, locks: Path) -> Path:
    """The interpreter that has the peer, as its lock file in the folder `locks` names it; Absent where it cannot be
    had."""
    lock = locks / f"requirements-{peer}.txt"
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
        raise Absent(f"its packages cannot be installed: {_last_line(error.stderr)}") from error


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2]
