"""Who saw it: a record of what jobs did, kept outside the store, which no fault of the store can change."""

import os
from dataclasses import dataclass
from pathlib import Path

from jobs.model import JobId


@dataclass(frozen=True)
class Witness:
    """A file per job, to which every process appends."""

    folder: Path

    def saw(self, job_id: JobId, act: str) -> None:
        """Put down that the job did this; it is written when this returns, whatever becomes of the process."""
        file = os.open(self.folder / job_id, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{act}\n".encode())
        finally:
            os.close(file)

    def acts(self, job_id: JobId) -> list[str]:
        """What the job did, in order, as often as it did it."""
        file = self.folder / job_id
        return file.read_text().splitlines() if file.exists() else []
