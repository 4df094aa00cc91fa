"""Conversations as clients of a dialect name them: the newest job of each, of one subject."""

from jobs import keys
from jobs.connection import Client, store_faults
from jobs.enqueuing import LIFETIME_SECONDS
from jobs.model import JobId


class Threads:
    """The conversations of one dialect; what is kept of them is a job's id, no longer than a job may live."""

    def __init__(self, client: Client, dialect: str) -> None:
        self._client = client
        self._dialect = dialect

    async def begin(self, subject: str | None, name: str, job_id: JobId) -> None:
        """From now on this is the newest job of the conversation."""
        with store_faults():
            await self._client.set(keys.thread(self._dialect, subject, name), job_id, ex=LIFETIME_SECONDS)

    async def newest(self, subject: str | None, name: str) -> JobId | None:
        """The newest job, which may have expired since; None where there never was one."""
        with store_faults():
            held = await self._client.get(keys.thread(self._dialect, subject, name))
        return JobId(held.decode()) if held else None
