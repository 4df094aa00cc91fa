"""Calls of scripts that many jobs make at the same moment travel to the store together."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

from jobs.connection import Client

LANES = 2
"""How many batches are under way at once: while the store works on one, the jobs fill the next."""

BATCH_CALLS = 32


@dataclass(frozen=True)
class _Call:
    """One call of a script, and where its answer goes."""

    arguments: Sequence[Any]
    answer: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def settle(self, answer: Any) -> None:
        """Hand the answer over, unless its caller was cancelled meanwhile."""
        if self.answer.done():
            return
        if isinstance(answer, Exception):
            self.answer.set_exception(answer)
        else:
            self.answer.set_result(answer)


class BatchingClient(Client):
    """A client whose script calls share round trips; each stays one atomic act, with an answer of its own.

    A call that is cancelled may have left already, like any other. One job's calls are as many as it waits for."""

    def __init__(self, client: Client) -> None:
        super().__init__(
            client.connection_pool, client.job_serializer, client.job_deserializer, client.default_queue_name
        )
        self.sealer = client.sealer
        self._calls: deque[_Call] = deque()
        self._called = asyncio.Event()

    async def evalsha(self, sha: str, numkeys: int, *keys_and_args: Any) -> Any:
        """The script's answer, as redis-py has it."""
        call = _Call(("EVALSHA", sha, numkeys, *keys_and_args))
        self._calls.append(call)
        self._called.set()
        return await call.answer

    async def carry(self) -> None:
        """Take the calls to the store, until cancelled; one of `LANES` that do."""
        while True:
            await self._called.wait()
            batch = self._taken(BATCH_CALLS)  # none where another lane was quicker
            try:
                answers = await self._answers(batch) if batch else []
            except (RedisError, OSError) as fault:
                batch += self._taken(len(self._calls))  # what waits is not to find that out by itself, in its turn
                answers = [fault] * len(batch)
            for call, answer in zip(batch, answers, strict=True):
                call.settle(answer)

    def _taken(self, most: int) -> list[_Call]:
        """The calls that have waited longest."""
        taken = [self._calls.popleft() for _ in range(min(most, len(self._calls)))]
        if not self._calls:
            self._called.clear()
        return taken

    async def _answers(self, batch: Sequence[_Call]) -> list[Any]:
        """What each call is to get; what is raised instead is for all of them, since nobody knows what was done."""
        connection = await self.connection_pool.get_connection()
        try:
            await connection.send_packed_command(connection.pack_commands([call.arguments for call in batch]))
            return [await _answer(connection) for _ in batch]
        except BaseException:
            await connection.disconnect(nowait=True)  # answers that are still to come are nobody's
            raise
        finally:
            await self.connection_pool.release(connection)


async def _answer(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as refusal:
        return refusal


@asynccontextmanager
async def batching(client: Client) -> AsyncIterator[BatchingClient]:
    """A client whose script calls go in batches for as long as the block lasts."""
    batched = BatchingClient(client)
    async with asyncio.TaskGroup() as lanes:
        carrying = [lanes.create_task(batched.carry()) for _ in range(LANES)]
        try:
            yield batched
        finally:
            for lane in carrying:
                lane.cancel()
