"""A job led through its runs as hypothesis tells them, one write at a time."""

from collections.abc import AsyncGenerator, Sequence

from jobs.log import Line
from jobs.model import State
from tests.api import Api
from tests.jobs.doors import Doors
from tests.transports.acts import Act, Chapter, Life, RolledBack, Turn
from tests.transports.hand import FAILURE, Hand, take_in_hand
from tests.transports.logs import copy_of, restore

MOST_LOST = 1
"""In one run; one that lost more has to wait for the slot of its lost worker, or is ended as poison."""


class Living:
    """One job, and whoever holds it."""

    def __init__(self, caller: Api, doors: Doors, job_id: str) -> None:
        self._caller = caller
        self._doors = doors
        self._job_id = job_id
        self._workers = 0
        self._lost = 0

    async def run(self, life: Life) -> AsyncGenerator[None, None]:
        """Lead the job through one run to its end; stops after each write."""
        self._lost = 0
        await self._next_hand()
        yield
        for chapter in life.chapters:
            async for _ in self._lead(chapter):
                yield
        if life.end is State.CANCELLED:
            await self._doors.queue.cancel(self._hand.claim.job_id)
            yield
        await self._hand.write(_end(self._hand, life))
        yield

    async def run_again(self, life: Life) -> bool:
        """Ask for the next run; False where there is nothing that could be run again."""
        snapshot = await self._caller.poll(self._job_id)
        wish: dict[str, object] = {"from": "start"} if life.again == "start" else {}
        if life.again in snapshot["parts"]:
            wish = {"parts": [life.again]}
        answer = await self._caller.http.post(f"/v1/jobs/{self._job_id}/retry", json=wish)
        assert answer.status_code in (202, 409), answer.text
        return answer.status_code == 202

    def _lead(self, chapter: Chapter) -> AsyncGenerator[None, None]:
        match chapter:
            case RolledBack(flushes):
                return self._roll_back(flushes)
            case list():
                return _write(self._hand, chapter)
            case _:
                return self._change_hands(chapter)

    async def _change_hands(self, turn: Turn) -> AsyncGenerator[None, None]:
        claim, leases = self._hand.claim, self._doors.leases
        match turn:
            case "lost":
                if self._lost == MOST_LOST:
                    return
                self._lost += 1
                await self._doors.lose(claim)
            case "handed back":
                await leases.release(claim)
                yield
            case "tried again":
                await leases.postpone(claim, delay_seconds=60, error=FAILURE)
                yield
            case "slept":
                await leases.suspend(claim, until_us=None)
                yield
        await self._doors.fall_due(claim.job_id)
        await self._next_hand()
        yield

    async def _roll_back(self, flushes: list[list[Act]]) -> AsyncGenerator[None, None]:
        if self._lost == MOST_LOST:
            return
        self._lost += 1
        kept = await copy_of(self._doors.client)
        async for _ in _write(self._hand, flushes):
            yield
        await restore(self._doors.client, kept)
        await self._doors.lose(self._hand.claim)
        await self._next_hand()
        yield

    async def _next_hand(self) -> None:
        self._workers += 1
        self._hand = await take_in_hand(self._doors, self._job_id, token=f"{self._job_id}-{self._workers}")


async def _write(hand: Hand, flushes: Sequence[Sequence[Act]]) -> AsyncGenerator[None, None]:
    for flush in flushes:
        if lines := [line for act in flush if (line := act.line(hand))]:
            await hand.write(*lines)
            yield


def _end(hand: Hand, life: Life) -> Line:
    if life.end is State.COMPLETED:
        return hand.end(life.end, result=life.result)
    return hand.end(life.end, failure=FAILURE if life.end is State.FAILED else None)
