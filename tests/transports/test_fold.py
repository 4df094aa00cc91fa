"""The promise of the fold: after each update a client holds what polling returns, whatever the job does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import HealthCheck, given, settings

from jobs.model import JsonObject
from tests.api import Api
from tests.jobs.doors import Doors
from tests.transports.acts import LIVES, Life
from tests.transports.living import Living
from tests.transports.logs import submit, trim
from tests.transports.reference import told
from tests.transports.subjects import STREAMS, UPDATES, Transport

FOLDING = (UPDATES, *STREAMS)
PATIENCE_SECONDS = 60.0
PROPERTY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # they are as good for the next example
)


class Folding:
    """A client that was there from the start: all that it ever held, in order."""

    def __init__(self, transport: Transport, caller: Api, job_id: str) -> None:
        self.views: list[JsonObject] = []
        self._transport = transport
        self._caller = caller
        self._job_id = job_id

    @property
    def held(self) -> JsonObject | None:
        return self.views[-1] if self.views else None

    async def agree_after_each(self, writes: AsyncIterator[None]) -> None:
        """Come to hold what polling returns, after each write; and hear nothing after the last."""
        async with aclosing(self._transport.follow(self._caller, self._job_id, self.held)) as following:
            async for _ in writes:
                polled = self._transport.seen(told(await self._caller.poll(self._job_id)))
                async with asyncio.timeout(PATIENCE_SECONDS):
                    while self.held is None or self._transport.seen(self.held) != polled:
                        self.views.append(await anext(following))
            assert [view async for view in following] == []

    async def agree_on_the_rest(self) -> None:
        """Whoever resumes from some place ends with the same, and sees on the way only what there was."""
        true = [self._transport.seen(view) for view in self.views]
        for place in self.views[:: max(1, len(self.views) // 4)]:
            views = [place]
            while self._transport.seen(views[-1]) != true[-1]:
                resumed = [view async for view in self._transport.follow(self._caller, self._job_id, views[-1])]
                assert resumed
                assert all(self._transport.seen(view) in true for view in resumed)
                views += resumed


@pytest.mark.parametrize("transport", FOLDING, ids=[transport.name for transport in FOLDING])
@PROPERTY
@given(lives=LIVES)
async def test_after_each_update_folding_gives_what_polling_returns(
    transport: Transport, caller: Api, doors: Doors, lives: list[Life]
) -> None:
    """Through failed tries, lost workers, a store that lost what it had said, and runs asked for again; and whoever
    resumes from any place, before and after the log is trimmed, ends with the same."""
    await doors.client.flushall()  # each story is told in an empty store
    job_id = await submit(caller)
    living, client = Living(caller, doors, job_id), Folding(transport, caller, job_id)

    for life in lives:
        await client.agree_after_each(living.run(life))
        if life is lives[-1] or not await living.run_again(life):
            break

    await client.agree_on_the_rest()
    await trim(doors, job_id)
    await client.agree_on_the_rest()
