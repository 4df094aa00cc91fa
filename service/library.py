"""Logs and stories for their readers, read from the store once for all who want the same at the same time."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from jobs.log import Head, Log, Page
from jobs.model import JobId
from jobs.shared import Shared
from jobs.snapshot import Story
from jobs.updates import Cursor

MOST_HELD = 16
LONGEST_HELD = 1024 * 1024
"""A longer story is shared only while somebody is reading it."""

MOST_PAGES_HELD = 32
"""Of some 64 KiB each."""

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Library:
    """The store's log as this process reads it."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._heads: Shared[JobId, Head] = Shared()
        self._fetched: Shared[JobId, Story] = Shared()
        self._stories: WeakValueDictionary[JobId, Story] = WeakValueDictionary()
        """All that anybody here has, readers who stand still in the middle of one among them."""
        self._shelf: _Shelf[JobId, Story] = _Shelf(MOST_HELD)
        self._pages: Shared[tuple[JobId, Cursor, int], Page | None] = Shared()
        self._pages_held: _Shelf[tuple[JobId, Cursor, int], Page] = _Shelf(MOST_PAGES_HELD)

    async def head(self, job_id: JobId) -> Head:
        """The job at a glance, no older than this call; JobNotFound when there is none of that id."""
        return await self._heads.get_fresh(job_id, lambda: self._log.head(job_id))

    async def moved(self, places: Mapping[JobId, Cursor]) -> set[JobId]:
        """Which of the jobs are gone, or not at the newest place any more that is given for each."""
        return await self._log.moved(places)

    async def page(self, job_id: JobId, place: Cursor, seen: int) -> Page | None:
        """What follows the place; shared by all who stand there and have seen the same version of the tail: any of
        them could have been the one who reads.

        Only a page that holds something is kept for those who come later: that nothing follows is to be seen anew."""
        key = job_id, place, seen
        if held := self._pages_held.get(key):
            return held
        page = await self._pages.get(key, lambda: self._log.read(job_id, place))
        if page and page.entries:
            self._pages_held.put(key, page)
        return page

    async def newest(self, job_id: JobId) -> Story:
        """The whole job, no older than this call; JobNotFound when there is none of that id.

        Where others have a story of it, or are being given one, a glance at the job, which costs the store next to
        nothing, tells whether theirs will do: no story is shared that is older than what the glance saw."""
        if job_id not in self._stories and job_id not in self._fetched:
            return self._kept(job_id, await self._story(job_id))
        glance = (await self.head(job_id)).cursor
        held = self._stories.get(job_id)
        if held is not None and held.cursor == glance:
            return held
        story = await self._story(job_id)
        if story.cursor < glance:  # somebody was reading it already before the glance
            story = await self._story(job_id)
        return self._kept(job_id, story)

    def _kept(self, job_id: JobId, story: Story) -> Story:
        self._stories[job_id] = story
        if len(story.encoded) <= LONGEST_HELD:
            self._shelf.put(job_id, story)
        return story

    async def _story(self, job_id: JobId) -> Story:
        return await self._fetched.get(job_id, lambda: self._log.story(job_id))


class _Shelf(Generic[Key, Answer]):
    """The answers that were put here last, so many of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[Key, Answer] = OrderedDict()

    def get(self, key: Key) -> Answer | None:
        return self._held.get(key)

    def put(self, key: Key, answer: Answer) -> None:
        self._held[key] = answer
        self._held.move_to_end(key)
        if len(self._held) > self._most:
            self._held.popitem(last=False)
