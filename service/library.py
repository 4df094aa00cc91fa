"""Logs and stories for their readers, read from the store once for all who want the same at the same time."""

from collections import OrderedDict

from jobs.log import Log, Page
from jobs.model import JobId
from jobs.snapshot import Story
from jobs.updates import Cursor
from service.shared import Shared

MOST_HELD = 16
LONGEST_HELD = 1024 * 1024
"""A longer story is shared only by those who come while it is read."""


class Library:
    """The store's log as this process reads it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._held: OrderedDict[JobId, Story] = OrderedDict()
        self._stories: Shared[JobId, Story] = Shared()
        self._pages: Shared[tuple[JobId, Cursor, int], Page | None] = Shared()

    async def page(self, job_id: JobId, place: Cursor, seen: int) -> Page | None:
        """What follows the place; shared by all who stand there and have seen the same version of the tail: any of
        them could have been the one who reads."""
        return await self._pages.get((job_id, place, seen), lambda: self._log.read(job_id, place))

    async def newest(self, job_id: JobId) -> Story:
        """The whole job, no older than this call; JobNotFound when there is none of that id.

        Every caller first takes a glance at the job, which costs the store next to nothing, and shares no story
        that is older than what it saw."""
        glance = (await self._log.head(job_id)).cursor
        held = self._held.get(job_id)
        if held is not None and held.cursor == glance:
            return held
        story = await self._story(job_id)
        if story.cursor < glance:  # somebody was reading it already before the glance
            story = await self._story(job_id)
        self._hold(job_id, story)
        return story

    async def _story(self, job_id: JobId) -> Story:
        return await self._stories.get(job_id, lambda: self._log.story(job_id))

    def _hold(self, job_id: JobId, story: Story) -> None:
        if len(story.encoded) <= LONGEST_HELD:
            self._held[job_id] = story
            self._held.move_to_end(job_id)
            if len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
