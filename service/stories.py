"""Whole jobs for their readers: each story is read from the store once for all who want it."""

from collections import OrderedDict

from jobs.log import Log
from jobs.model import JobId
from jobs.snapshot import Story
from service.shared import Shared

MOST_HELD = 16
LONGEST_HELD = 1024 * 1024
"""A longer one is shared only by those who come while it is read."""


class Stories:
    """The newest story of each job that was lately asked for."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._held: OrderedDict[JobId, Story] = OrderedDict()
        self._reading: Shared[JobId, Story] = Shared()
        self._begun = 0

    async def newest(self, job_id: JobId) -> Story:
        """The whole job, no older than this call: a story read before is given only to whoever has just seen, by a
        glance at the job, that it is still the newest, or was not yet."""
        glance = (await self._log.head(job_id)).cursor
        held = self._held.get(job_id)
        if held is not None and held.cursor == glance:
            return held
        story = await self._read(job_id)
        ...
