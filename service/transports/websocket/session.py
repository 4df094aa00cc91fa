"""One WebSocket of many jobs: a listener for each subscription, all ended with the connection."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from jobs.errors import JobError
from jobs.model import JobId
from jobs.updates import Cursor
from service.api import Api
from service.auth import Access
from service.errors import InvalidRequest, NoCredential, RateLimited
from service.feed import Bounds, Bye
from service.transports.websocket.closing import (
    MALFORMED,
    TRY_LATER,
    UNAUTHORIZED,
    Closing,
    dismissed,
    ending_together,
)
from service.transports.websocket.connection import Connection
from service.transports.websocket.ear import heard_out
from service.transports.websocket.ops import Cancel, Op, Ping, Subscribe, Unsubscribe, read_op

MOST_JOBS = 100
MOST_PER_SECOND = 10
FIRST_SECONDS = 10.0
"""How long a connection without a credential may take to bring a token."""

GRACE_SECONDS = 1.0
"""How much longer than promised a connection is silent at most: each job counts its own silence."""

FOR_EVER = Bounds(float("inf"), Bye("rotate"))
"""Of a subscription that ends with its connection."""


@dataclass(frozen=True)
class _Followed:
    """A subscription: who may follow, and the task that does."""

    access: Access
    task: asyncio.Task[None]


class Session:
    """What one client follows, and what it may; without a credential, each subscription must bring a token."""

    def __init__(
        self, connection: Connection, api: Api, access: Access | None, *, first_seconds: float = FIRST_SECONDS
    ) -> None:
        self._connection = connection
        self._api = api
        self._access = access
        self._first_seconds = first_seconds
        self._known = access is not None
        self._followed: dict[str, _Followed] = {}
        self._recent: deque[float] = deque(maxlen=MOST_PER_SECOND)

    async def run(self) -> None:
        """Serve the client until it leaves or must; always ends with what ended it, raised."""
        async with ending_together() as tasks:
            for companion in (self._stay_alive(), self._stop(), self._end_in_time(), self._expect_token()):
                tasks.create_task(companion)
            while True:
                op = self._read(await self._connection.receive())
                try:
                    await self._do(op, tasks)
                except JobError as error:
                    await self._connection.refuse(error, getattr(op, "job", None))

    def _read(self, text: str) -> Op:
        now = time.monotonic()
        if len(self._recent) == MOST_PER_SECOND and now - self._recent[0] < 1:
            refusal = RateLimited(f"A client says {MOST_PER_SECOND} things a second at most.", wait_seconds=1)
            raise Closing(TRY_LATER, refusal=refusal)
        self._recent.append(now)
        try:
            return read_op(text)
        except InvalidRequest as error:
            raise Closing(MALFORMED, refusal=error) from error

    async def _do(self, op: Op, tasks: asyncio.TaskGroup) -> None:
        match op:
            case Ping():
                await self._connection.answer("pong")
            case Subscribe():
                await self._subscribe(op, tasks)
            case Unsubscribe(job=job):
                if followed := self._followed.pop(job, None):
                    followed.task.cancel()
                    await asyncio.wait({followed.task})
                await self._connection.answer("unsubscribed", job=job)
            case Cancel(job=job):
                followed = self._followed.get(job)
                job_id, _ = await self._api.cancellable(job, self._may(followed.access if followed else None))
                await self._api.queue.cancel(job_id)
                await self._connection.answer("cancelling", job=job)

    async def _subscribe(self, op: Subscribe, tasks: asyncio.TaskGroup) -> None:
        brought = None if op.token is None else Access(self._api.keyring.identify(op.token))
        access = brought or self._may()
        after = Cursor.parse(op.after) if op.after else None
        job_id, head = await self._api.readable(op.job, access)
        if op.job in self._followed:
            raise InvalidRequest("The job is followed already; unsubscribe first.")
        if len(self._followed) >= MOST_JOBS:
            raise InvalidRequest(f"One connection follows {MOST_JOBS} jobs at most.")
        self._known = True
        await self._connection.answer("subscribed", job=op.job)
        if head.ended_at(after):
            return  # its end was heard: there is nothing to say before another run, which is another subscription
        bounds = self._api.bounds([brought]) if brought else FOR_EVER
        self._followed[job_id] = _Followed(access, tasks.create_task(self._follow(job_id, after, bounds)))

    def _may(self, otherwise: Access | None = None) -> Access:
        access = self._access or otherwise
        if access is None:
            raise NoCredential("Open the connection with a credential, or bring a token with each subscribe.")
        return access

    async def _follow(self, job_id: JobId, after: Cursor | None, bounds: Bounds) -> None:
        match await heard_out(self._connection, self._api.delivery, job_id, after, bounds):
            case Bye(reason="shutdown" | "rotate"):
                return  # said once, for the connection
            case Bye() as farewell:
                await self._connection.bye(farewell, job_id)
        if (followed := self._followed.get(job_id)) and followed.task is asyncio.current_task():
            del self._followed[job_id]

    async def _stay_alive(self) -> None:
        """Break a silence that no job's own ping has broken; theirs come first, since they name their cursors."""
        while True:
            grace = GRACE_SECONDS if self._followed else 0.0
            await asyncio.sleep(max(0.1, self._connection.silence_left + grace))
            if self._connection.silence_left + grace <= 0:
                await self._connection.ping()

    async def _stop(self) -> None:
        await self._api.feed.stopping.wait()
        raise dismissed(Bye("shutdown"))

    async def _end_in_time(self) -> None:
        bounds = self._api.bounds([self._access] if self._access else [])
        await asyncio.sleep(bounds.deadline - asyncio.get_running_loop().time())
        raise dismissed(bounds.farewell)

    async def _expect_token(self) -> None:
        await asyncio.sleep(self._first_seconds)
        if not self._known:
            raise Closing(UNAUTHORIZED, refusal=NoCredential("Send a credential."))
