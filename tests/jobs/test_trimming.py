"""How a log stays within its bounds: only from the front, and after the end down to that end."""

import pytest

from jobs import keys
from jobs.connection import Client
from jobs.leases import Claim
from jobs.updates import Cursor, Entry
from tests.jobs import lines
from tests.jobs.doors import Doors, log_key, replayed

LOG_ENTRIES = 5000
LOG_BYTES = 4 * 1024 * 1024


async def test_a_log_keeps_its_newest_5000_entries(doors: Doors) -> None:
    """What is kept has no gap and ends with the newest."""
    claim = await doors.running()

    await _write_progress(doors, claim, LOG_ENTRIES + 321)

    entries = await doors.entries(claim.job_id)
    newest = int((await doors.snapshot(claim.job_id))["seq"])
    assert [entry.seq for entry in entries] == list(range(newest - LOG_ENTRIES + 1, newest + 1))


async def test_a_log_keeps_its_newest_4_mebibytes(doors: Doors) -> None:
    """It is trimmed as little as that needs."""
    claim = await doors.running()
    await doors.append(claim, lines.begun("openai"))
    piece = "x" * 64 * 1024

    for number in range(100):
        await doors.append(claim, lines.wrote("openai", piece, at=number * len(piece)))

    entries = await doors.entries(claim.job_id)
    size = entries[-1].total - entries[0].total + _bytes_of(entries[0])
    assert size <= LOG_BYTES < size + _bytes_of(entries[0])
    assert [entry.seq for entry in entries] == list(range(entries[0].seq, entries[-1].seq + 1))


async def test_a_reader_at_the_place_that_was_trimmed_last_misses_nothing(doors: Doors) -> None:
    """The entry itself is gone, all that follows it is there; one place further back is not held any more."""
    claim = await doors.running()
    await _write_progress(doors, claim, 2)
    places = [entry.cursor for entry in await doors.entries(claim.job_id)]
    await _write_progress(doors, claim, LOG_ENTRIES)
    held = await doors.entries(claim.job_id)

    assert places[3].seq == held[0].seq - 1
    assert await _read_on(doors, claim, places[3]) == held
    assert await doors.log.read(claim.job_id, places[2]) is None


@pytest.mark.parametrize("wrong", [(1, 0), (-1, 0), (0, 1), (0, -1)])
async def test_a_place_that_the_log_never_gave_out_is_not_held(doors: Doors, wrong: tuple[int, int]) -> None:
    """Another writer's clock at the same number, the next number at the same clock: neither is a place."""
    claim = await doors.running()
    await _write_progress(doors, claim, 3)
    us, seq = (await doors.entries(claim.job_id))[1].cursor

    assert await doors.log.read(claim.job_id, Cursor(us + wrong[0], seq + wrong[1])) is None


async def test_pages_follow_each_other_without_a_gap(doors: Doors) -> None:
    """Reading on from the last entry of each page yields the log, and says each time how much is left."""
    claim = await doors.running()
    await _write_progress(doors, claim, 25)
    first, *rest = await doors.entries(claim.job_id)

    assert await _read_on(doors, claim, first.cursor, most=10) == rest


async def test_an_end_too_large_for_a_long_log_still_ends_the_job(doors: Doors) -> None:
    """It makes room for itself: thousands of entries leave at once, and the job is ended and let go."""
    claim = await doors.running()
    await _write_progress(doors, claim, LOG_ENTRIES - 10)

    await doors.append(claim, lines.end(result="x" * LOG_BYTES))

    assert [event for event, _ in await doors.updates(claim.job_id)] == ["end"]
    snapshot = await doors.snapshot(claim.job_id)
    assert (snapshot["state"], len(snapshot["result"])) == ("completed", LOG_BYTES)


async def test_a_minute_after_its_end_a_log_is_trimmed_down_to_it(doors: Doors, redis: Client) -> None:
    """Not before; then a reader just before the end still gets it, and the job reads as it did."""
    claim = await doors.running()
    for flush in lines.whole_story():
        await doors.append(claim, *flush)
    *_, before, end = await doors.entries(claim.job_id)
    ended = await doors.snapshot(claim.job_id)
    assert await doors.log.trim_ended() == 0
    assert len(await doors.entries(claim.job_id)) == ended["seq"]

    await redis.zadd(keys.TRIMS, {claim.job_id: 0}, xx=True)
    await doors.log.trim_ended()

    assert await doors.entries(claim.job_id) == [end]
    page = await doors.log.read(claim.job_id, before.cursor)
    assert page is not None
    assert (page.entries, page.behind) == ([end], _bytes_of(end))
    assert await doors.snapshot(claim.job_id) == ended
    story = await doors.log.story(claim.job_id)
    assert story.cursor_before_end == before.cursor
    assert replayed(story.before_end, [end]) == ended
    assert await doors.log.trim_ended() == 0


async def test_a_log_that_is_trimmed_keeps_its_life_span(doors: Doors, redis: Client) -> None:
    """Trimming makes no key immortal, and none of a job that is gone."""
    claim = await doors.running()
    await doors.append(claim, lines.end())
    await redis.zadd(keys.TRIMS, {claim.job_id: 0, "a-job-that-expired": 0})

    await doors.log.trim_ended()

    assert await redis.pttl(log_key(claim.job_id)) > 0
    assert [name for name, left in (await doors.lifetimes()).items() if left < 0] == []
    assert await redis.zcard(keys.TRIMS) == 0


async def _read_on(doors: Doors, claim: Claim, place: Cursor, *, most: int = 500) -> list[Entry]:
    """All that follows the place, page by page; each page says how much there is from its beginning on."""
    read: list[Entry] = []
    told: list[int] = []
    while page := await doors.log.read(claim.job_id, place, most=most):
        told.append(page.behind)
        read += page.entries
        if not page.entries:
            break
        assert sum(_bytes_of(entry) for entry in page.entries) <= told[-1]
        place = page.entries[-1].cursor
    assert told[0] == sum(_bytes_of(entry) for entry in read)
    assert told[-1] == 0
    return read


async def _write_progress(doors: Doors, claim: Claim, entries: int) -> None:
    for start in range(0, entries, 100):
        await doors.append(
            claim, *(lines.progress(number % 100) for number in range(start, min(start + 100, entries)))
        )


def _bytes_of(entry: Entry) -> int:
    return len(entry.body) + 64
