"""Which jobs have moved on: one question for all whose listeners have heard nothing for long."""

from jobs.updates import Cursor
from tests.jobs import lines
from tests.jobs.doors import Doors


async def test_only_jobs_that_are_not_where_they_were_have_moved(doors: Doors) -> None:
    """One that stands still is not named; one that went on, one that is gone and one that never was are."""
    still, gone = await doors.submit(), await doors.submit()
    claims = {claim.job_id: claim for claim in await doors.claim("first", slots=3)}
    on = await doors.submit()
    claims |= {claim.job_id: claim for claim in await doors.claim("second", slots=3)}
    places = {job_id: (await doors.log.head(job_id)).cursor for job_id in (still, gone, on)}
    unknown = type(still)("x" * 32)

    await doors.append(claims[on], lines.progress(1))
    await doors.append(claims[gone], lines.end())
    await doors.queue.forget(gone)

    assert await doors.log.moved(places | {unknown: Cursor(1, 1)}) == {on, gone, unknown}
    assert await doors.log.moved({still: places[still]}) == set()
    assert await doors.log.moved({}) == set()
