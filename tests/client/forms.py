"""Both forms of the client behind one surface, so that what holds for one is asked of the other."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, Protocol, cast

from jobstream.client import AsyncClient, Client, Job

MOST_THREADS = 32
END = object()


class OpenClient(Protocol):
    """Opens a client of one form; it takes what the client takes."""

    def __call__(self, url: str, token: Any = None, **more: Any) -> AbstractAsyncContextManager[AsyncClient]:
        """The client, for as long as the block lasts."""


class InThreads:
    """A client for code that waits, each of whose calls waits in a thread."""

    def __init__(self, client: Any, threads: ThreadPoolExecutor) -> None:
        self._client = client
        self._threads = threads

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return partial(self._run, found) if callable(found) else InThreads(found, self._threads)

    async def watch(self, job: Job | str, **more: Any) -> AsyncGenerator[Job, None]:
        states = self._client.watch(job, **more)
        try:
            while (state := await self._run(next, states, END)) is not END:
                yield state
        finally:
            await self._run(states.close)

    async def _run(self, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(act, *args, **kwargs))


@asynccontextmanager
async def waiting(url: str, token: Any = None, **more: Any) -> AsyncIterator[AsyncClient]:
    """The client that waits."""
    with ThreadPoolExecutor(MOST_THREADS) as threads, Client(url, token, **more) as client:
        yield cast("AsyncClient", InThreads(client, threads))


@asynccontextmanager
async def awaiting(url: str, token: Any = None, **more: Any) -> AsyncIterator[AsyncClient]:
    """The client that awaits."""
    async with AsyncClient(url, token, **more) as client:
        yield client


FORMS: dict[str, OpenClient] = {"waiting": waiting, "awaiting": awaiting}
