"""Jobs whose logs a test arranges: ended, trimmed, deleted, rolled back; and the places in them."""

from jobs import keys
from jobs.connection import Client
from jobs.model import JobId, State
from tests.api import Api
from tests.jobs.doors import Doors
from tests.transports.hand import Hand, story, take_in_hand

LOG_ENTRIES = 5000
AT_ONCE = 850


async def submit(caller: Api) -> str:
    """A job that waits for a worker."""
    job_id: str = (await caller.submit("written by hand"))["id"]
    return job_id


async def ended(caller: Api, doors: Doors, state: State = State.COMPLETED) -> str:
    """A job whose whole story is written."""
    job_id = await submit(caller)
    hand = await take_in_hand(doors, job_id)
    for line in story(hand, state):
        await hand.write(line)
    return job_id


async def cursors(doors: Doors, job_id: str) -> list[str]:
    """The cursor of every entry that the log holds."""
    return [cursor.decode() for cursor, _ in await doors.client.xrange(f"{keys.PREFIX}{job_id}:log")]


async def overflow(hand: Hand) -> None:
    """Write so much that the log loses all that it held."""
    for _ in range(LOG_ENTRIES // AT_ONCE + 1):
        await hand.write(*(hand.progress(percent=number % 100) for number in range(AT_ONCE)))


async def trim(doors: Doors, job_id: str) -> None:
    """What happens to an ended job's log after a minute."""
    await doors.client.zadd(keys.TRIMS, {job_id: 0})
    assert await doors.log.trim_ended() == 1


async def vanish(doors: Doors, *job_ids: str) -> None:
    """The jobs are deleted, all at once, whatever they are doing."""
    names = [name for job_id in job_ids for name in await doors.client.keys(f"{keys.PREFIX}{job_id}:*")]
    async with doors.client.pipeline() as pipe:
        pipe.delete(*names)
        for job_id in job_ids:
            pipe.publish(keys.channel(JobId(job_id)), b"")
        await pipe.execute()


async def copy_of(redis: Client) -> dict[bytes, bytes]:
    """All that the store holds."""
    return {name: await redis.dump(name) async for name in redis.scan_iter()}


async def restore(redis: Client, kept: dict[bytes, bytes]) -> None:
    """Put the copy in the place of what the store holds now, as a store does that lost its newest writes."""
    async with redis.pipeline() as pipe:
        pipe.flushall()
        for name, value in kept.items():
            pipe.restore(name, 0, value)
        await pipe.execute()
