"""One WebSocket of many jobs: a listener for each subscription, all ended with the connection."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from jobs.errors import JobError
from jobs.model import JobId
from jobs.updates import Cursor
from service.api import Api, checked_id
from service.auth import Access
from service.errors import InvalidRequest, Unauthorized
from service.feed import PING_SECONDS, Bye, Item
from service.transports.websocket.connection import (
    MALFORMED,
    RESTARTING,
    TRY_LATER,
    UNAUTHORIZED,
    Closing,
    Connection,
)
from service.transports.websocket.ops import Cancel, Op, Ping, Subscribe, Unsubscribe, read_op

MOST_JOBS = 100
MOST_PER_SECOND = 10
FIRST_SECONDS = 10.0
"""How long a connection without a credential may take to bring a token."""


class Session:
    """What one client follows, and what it may."""

    def __init__(self, connection: Connection, api: Api, access: Access | None) -> None:
        self._connection = connection
        self._api = api
        self._access = access
        self._followed: dict[str, asyncio.Task[None]] = {}
        self._recent: deque[float] = deque(maxlen=MOST_PER_SECOND)
        self._closing: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        """Serve the client until it leaves or must; the code to close with."""
        companions = [asyncio.create_task(each) for each in (self._listen(), self._keep_alive(), self._end_in_time())]
        try:
            waited: list[asyncio.Future[Any]] = [self._closing, *companions]
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            return self._closing.result() if self._closing.done() else _code_of(companions)
        finally:
            tasks = [*companions, *self._followed.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            op = self._read(await self._connection.receive())
            try:
                await self._do(op)
            except JobError as error:
                await self._connection.refuse(error, getattr(op, "job", None))

    def _read(self, text: str) -> Op:
        now = time.monotonic()
        if len(self._recent) == MOST_PER_SECOND and now - self._recent[0] < 1:
            raise Closing(TRY_LATER)
        self._recent.append(now)
        try:
            return read_op(text)
        except InvalidRequest as error:
            raise Closing(MALFORMED) from error

    async def _do(self, op: Op) -> None:
        match op:
            case Ping():
                await self._connection.answer("pong")
            case Subscribe():
                await self._subscribe(op)
            case Unsubscribe(job=job):
                if followed := self._followed.pop(job, None):
                    followed.cancel()
                    await asyncio.wait({followed})
                await self._connection.answer("unsubscribed", job=job)
            case Cancel(job=job):
                access = self._access_of(None)
                job_id, head = await self._api.readable(job, access)
                access.check_cancel(head.subject)
                await self._api.queue.cancel(job_id)
                await self._connection.answer("cancelling", job=job)

    async def _subscribe(self, op: Subscribe) -> None:
        access = self._access_of(op.token)
        after = Cursor.parse(op.after) if op.after else None
        job_id, _ = await self._api.readable(checked_id(op.job), access)
        if op.job in self._followed:
            raise InvalidRequest("The job is followed already; unsubscribe first.")
        if len(self._followed) >= MOST_JOBS:
            raise InvalidRequest(f"One connection follows {MOST_JOBS} jobs at most.")
        self._access = self._access or access
        await self._connection.answer("subscribed", job=op.job)
        self._followed[op.job] = asyncio.create_task(self._follow(job_id, self._api.follow(job_id, after, access)))

    def _access_of(self, token: str | None) -> Access:
        if token is not None:
            return Access(self._api.keyring.identify(token))
        if self._access is None:
            raise Unauthorized("Open the connection with a credential, or bring a token with each subscribe.")
        return self._access

    async def _follow(self, job_id: JobId, items: AsyncGenerator[Item, None]) -> None:
        try:
            async with aclosing(items):
                async for item in items:
                    await self._connection.tell(job_id, item)
                    if isinstance(item, Bye) and item.reason == "shutdown":
                        self._close(RESTARTING)
        except Closing as closing:
            self._close(closing.code)
        finally:
            self._followed.pop(job_id, None)

    async def _keep_alive(self) -> None:
        while not self._api.feed.stopping.is_set():
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._api.feed.stopping.wait()
            except TimeoutError:
                if not self._followed:
                    await self._connection.ping(None, None)
        if not self._followed:
            await self._connection.bye("shutdown")
            raise Closing(RESTARTING)
        await asyncio.Event().wait()  # each of those that are followed says it

    async def _end_in_time(self) -> None:
        """A connection that brings no credential is not kept; one whose credential ends is told before."""
        if self._access is None:
            await asyncio.sleep(FIRST_SECONDS)
            if self._access is None:
                raise Closing(UNAUTHORIZED)
        await asyncio.Event().wait()

    def _close(self, code: int) -> None:
        if not self._closing.done():
            self._closing.set_result(code)


def _code_of(companions: list["asyncio.Task[None]"]) -> int:
    for task in companions:
        if task.done():
            error = task.exception()
            if isinstance(error, Closing):
                return error.code
            if error is not None:
                raise error
    return TRY_LATER
