"""One WebSocket of one job: all that is heard of it, until its run ends."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from jobs.model import JobId
from service.errors import InvalidRequest
from service.feed import Bye, Gone, Item
from service.transports.websocket.closing import ENDED, NO_SUCH_JOB, Closing, dismissed, ending_together, refused
from service.transports.websocket.connection import Connection


async def follow_one(connection: Connection, job_id: JobId, items: AsyncGenerator[Item, None]) -> None:
    """Tell, until all is told or the client leaves; always ends with what ended it, raised."""
    async with ending_together() as tasks:
        tasks.create_task(_tell(connection, job_id, items))
        await connection.receive()
        raise refused(InvalidRequest("On the socket of one job there is nothing to say."))


async def _tell(connection: Connection, job_id: JobId, items: AsyncGenerator[Item, None]) -> None:
    async with aclosing(items):
        async for item in items:
            if isinstance(item, Bye):
                raise dismissed(item)
            await connection.tell(job_id, item)
            if isinstance(item, Gone):
                raise Closing(NO_SUCH_JOB)
    raise Closing(ENDED)
