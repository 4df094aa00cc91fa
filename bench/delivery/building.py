"""The programs in C: compiled where they are needed, kept for the next run."""

import hashlib
import subprocess
from pathlib import Path

from bench.environments import FOLDER, Absent

COMPILE_SECONDS = 60.0


def compiled(source: Path) -> Path:
    """The program that the source makes; Absent where there is no compiler."""
    program = FOLDER / f"{source.stem}-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}"
    if not program.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        command = ["gcc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(source)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=COMPILE_SECONDS)  # noqa: S603
        except (OSError, subprocess.SubprocessError) as error:
            raise Absent(f"{source.name} cannot be compiled") from error
    return program
