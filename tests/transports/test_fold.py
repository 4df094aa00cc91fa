"""The promise of the fold: after each update a client holds what polling returns, whatever the job does."""

from collections.abc import Iterator
from contextlib import aclosing

from hypothesis import HealthCheck, given, settings
from pydantic import JsonValue

from jobs.log import Line
from jobs.model import State
from tests.api import Api
from tests.jobs.doors import Doors
from tests.transports.acts import ENDS, FLUSHES, JSON, Act
from tests.transports.hand import FAILURE, Hand, take_in_hand
from tests.transports.reference import told
from tests.transports.subjects import SSE

PROPERTY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example has a job of its own
)


@PROPERTY
@given(acts=FLUSHES, end=ENDS, result=JSON)
async def test_after_each_update_folding_gives_what_polling_returns(
    caller: Api, doors: Doors, acts: list[list[Act]], end: State, result: JsonValue
) -> None:
    """For a listener who was there from the start; and whoever resumes from any place ends with the same."""
    job = await caller.submit("written by hand")
    async with aclosing(SSE.follow(caller, job["id"], None)) as following:
        views = [await anext(following)]
        hand = await take_in_hand(doors, job["id"])
        for lines in _flushes(hand, acts, _end(hand, end, result)):
            await hand.write(*lines)
            polled = told(await caller.poll(job["id"]))
            while views[-1]["seq"] < polled["seq"]:
                views.append(await anext(following))
            assert views[-1] == polled
        assert [view async for view in following] == []

    assert [view["seq"] for view in views] == list(range(1, len(views) + 1))
    for held in views[:: max(1, len(views) // 4)]:
        resumed = [view async for view in SSE.follow(caller, job["id"], held)]
        assert [held, *resumed][-1] == views[-1]
        assert all(view == views[view["seq"] - 1] for view in resumed)


def _flushes(hand: Hand, acts: list[list[Act]], end: Line) -> Iterator[list[Line]]:
    """What is written at once; the end leaves with the last of it."""
    for flush in acts[:-1]:
        if lines := [line for act in flush if (line := act.line(hand))]:
            yield lines
    yield [*[line for act in acts[-1] if (line := act.line(hand))], end]


def _end(hand: Hand, state: State, result: JsonValue) -> Line:
    if state is State.COMPLETED:
        return hand.end(state, result=result)
    return hand.end(state, failure=FAILURE if state is State.FAILED else None)
