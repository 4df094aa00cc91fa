"""Answers that many ask for at the same moment, and that are fetched once for all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from jobs.errors import StoreUnavailable

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Shared(Generic[Key, Answer]):
    """Whoever asks while the same is being fetched is given that answer, which may be older than the question: the
    key must say all that makes an answer good."""

    def __init__(self) -> None:
        self._under_way: dict[Key, asyncio.Future[Answer]] = {}

    def __len__(self) -> int:
        """How many answers are being fetched."""
        return len(self._under_way)

    def __contains__(self, key: Key) -> bool:
        """Whether the answer is being fetched."""
        return key in self._under_way

    async def get(self, key: Key, fetch: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, or the error that fetching it raised; one who fetches and is cancelled leaves it to another."""
        while (under_way := self._under_way.get(key)) is not None:
            await asyncio.wait({under_way})
            if not under_way.cancelled():
                return under_way.result()
        return await self._fetch(key, fetch)

    async def get_fresh(self, key: Key, fetch: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, no older than the question: whoever comes while it is being fetched shares the next one, but
        for the news that the store is away."""
        if (under_way := self._under_way.get(key)) is not None:
            await asyncio.wait({under_way})
            if not under_way.cancelled() and isinstance(error := under_way.exception(), StoreUnavailable):
                raise error
        return await self.get(key, fetch)  # what is being fetched now was begun later than the question

    async def _fetch(self, key: Key, fetch: Callable[[], Awaitable[Answer]]) -> Answer:
        under_way = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await fetch()
        except Exception as error:
            under_way.set_exception(error)
            under_way.exception()  # it is told to whoever waits, and that may be nobody
            raise
        except BaseException:
            under_way.cancel()
            raise
        else:
            under_way.set_result(answer)
            return answer
        finally:
            del self._under_way[key]
