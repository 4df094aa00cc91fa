"""What the routes work with: one object per process, made by the composition root."""

import re
import time
from asyncio import get_running_loop
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from jobs import keys
from jobs.connection import Client
from jobs.conversations import Conversations
from jobs.dead_letters import DeadLetters
from jobs.endpoints import UNSIGNED, Endpoints
from jobs.errors import JobNotFound
from jobs.events import Events
from jobs.index import Index
from jobs.kind import DAY_SECONDS, HOUR_SECONDS, AnyKind
from jobs.log import Head, Log
from jobs.model import JOB_ID_PATTERN, JobId, JsonObject
from jobs.queue import Queue
from jobs.records.connections import NONE, Connections
from jobs.rejects import Rejects
from jobs.sessions import Sessions
from jobs.summaries import Summaries
from jobs.updates import Cursor
from service.auth import CANCEL, NO_SUCH_JOB, READ, Access, Auth, submit
from service.credentials import Keyring, Token
from service.delivery import Delivery
from service.desk import Desk
from service.feed import Bounds, Bye, Feed, Item
from service.limits import Guest, Limits, guest_of
from service.meters import Meters
from service.view import shown
from service.witness import Witness

ROTATE_SECONDS = 3600.0
"""How long one stream lives; its listener comes back with its cursor, perhaps to another process."""

FAREWELL_SECONDS = 5.0
"""How long before its credential ends a listener is told, so that it can come back with a fresh one."""

LEFT_OUT = ("parts", "steps", "result")
"""What a list does not show of a job."""

_JOB_ID = re.compile(JOB_ID_PATTERN)


@dataclass(frozen=True)
class Api:
    """The service's parts, as the routes need them."""

    kinds: Mapping[str, AnyKind]
    client: Client
    log: Log
    queue: Queue
    events: Events
    dead_letters: DeadLetters
    conversations: Conversations
    sessions: Sessions
    summaries: Summaries
    feed: Feed
    delivery: Delivery
    auth: Auth
    keyring: Keyring
    limits: Limits
    rejects: Rejects
    desk: Desk
    meters: Meters
    rotate_seconds: float = ROTATE_SECONDS
    connections: Connections = field(default_factory=lambda: NONE)
    endpoints: Endpoints = UNSIGNED

    @property
    def witness(self) -> Witness:
        """Who watches."""
        return self.feed.witness

    async def readable(self, job_id: str, access: Access) -> tuple[JobId, Head]:
        """The job if the caller may read it; the same JobNotFound for one that is foreign, unknown or no id."""
        known, head = await self._head(job_id)
        access.check(READ, known, head.subject)
        return known, head

    async def cancellable(self, job_id: str, access: Access) -> tuple[JobId, Head]:
        """The job if the caller may cancel or delete it; JobNotFound as `readable` has it."""
        known, head = await self._head(job_id)
        access.check(CANCEL, known, head.subject)
        return known, head

    async def startable(self, job_id: str, access: Access) -> tuple[JobId, Head]:
        """The job if the caller may run it again; JobNotFound as `readable` has it."""
        known, head = await self._head(job_id)
        access.check(submit(head.kind), known, head.subject)
        return known, head

    async def readable_by_any(self, job_id: str, accesses: Sequence[Access]) -> tuple[JobId, Head]:
        """The job if any of the credentials reads it."""
        known, head = await self._head(job_id)
        if not any(access.reads(known, head.subject) for access in accesses):
            raise JobNotFound(NO_SUCH_JOB)
        return known, head

    async def _head(self, job_id: str) -> tuple[JobId, Head]:
        known = checked_id(job_id)
        return known, await self.feed.library.head(known)

    def jobs_of(self, subject: str | None) -> Index:
        """The list of the subject's jobs, of everybody's for None."""
        return Index(self.client, keys.JOBS if subject is None else keys.SUBJECTS + subject)

    async def summary(self, job_id: JobId) -> JsonObject | None:
        """The snapshot without what makes it large; None if the job went meanwhile."""
        try:
            story = await self.log.story(job_id)
        except JobNotFound:
            return None
        return {name: value for name, value in shown(story.snapshot).items() if name not in LEFT_OUT}

    def follow(self, job_id: JobId, after: Cursor | None, access: Access) -> AsyncGenerator[Item, None]:
        """The job's updates for this caller, until its credential ends."""
        return self.feed.follow(job_id, after, self.bounds([access]))

    def stream(self, job_id: JobId, after: Cursor | None, access: Access) -> AsyncGenerator[Item, None]:
        """The same for a stream, of which those who watch are told."""
        return self.feed.stream(job_id, after, self.bounds([access]))

    def bounds(self, accesses: Sequence[Access]) -> Bounds:
        """How long the caller of all these credentials may follow: until the first of them ends."""
        now = get_running_loop().time()
        expires = min((access.expires for access in accesses if access.expires is not None), default=float("inf"))
        left = expires - FAREWELL_SECONDS - time.time()
        if left < self.rotate_seconds:
            return Bounds(now + left, Bye("unauthorized"))
        return Bounds(now + self.rotate_seconds, Bye("rotate"))

    def stream_token(self, job_id: JobId, kind: str) -> Token:
        """A token that reads the job for as long as it may run, and an hour more."""
        known = self.kinds.get(kind)
        timeout = known.timeout_seconds if known else None
        return self.keyring.stream_token(job_id, seconds=DAY_SECONDS if timeout is None else timeout + HOUR_SECONDS)


def checked_id(job_id: str) -> JobId:
    """The id, if the service could have made it; nothing else goes near the store."""
    if not _JOB_ID.fullmatch(job_id):
        raise JobNotFound(NO_SUCH_JOB)
    return JobId(job_id)


# What FastAPI calls for each request is a coroutine function here: any other it sends to a thread and back.


async def api_of(request: Request) -> Api:
    return _api(request)


async def access_of(request: Request) -> Access:
    """The caller, known by header or cookie."""
    return _api(request).auth.access(request)


def access_in_url(request: Request) -> Access:
    """The caller of a stream, known by header, `?token=` or cookie."""
    return _api(request).auth.access(request, in_url=True)


def _api(request: Request) -> Api:
    return cast(Api, request.app.state.api)


async def request_id_of(request: Request) -> str:
    return cast(str, request.scope["state"]["request_id"])


ApiOf = Annotated[Api, Depends(api_of)]
AccessOf = Annotated[Access, Depends(access_of)]


async def limited(request: Request, access: AccessOf) -> Guest | None:
    """Whom the limits count for this request; None for a secret."""
    return guest_of(access, request)


GuestOf = Annotated[Guest | None, Depends(limited)]
RequestId = Annotated[str, Depends(request_id_of)]
