"""One WebSocket of one job: all that is heard of it, until its run ends."""

from jobs.model import JobId
from jobs.updates import Cursor
from service.delivery import Delivery
from service.errors import InvalidRequest
from service.feed import Bounds, Bye, Gone
from service.transports.websocket.closing import ENDED, NO_SUCH_JOB, Closing, dismissed, ending_together, refused
from service.transports.websocket.connection import Connection
from service.transports.websocket.ear import heard_out


async def follow_one(
    connection: Connection, delivery: Delivery, job_id: JobId, after: Cursor | None, bounds: Bounds
) -> None:
    """Tell, until all is told or the client leaves; always ends with what ended it, raised."""
    async with ending_together() as tasks:
        tasks.create_task(_tell(connection, delivery, job_id, after, bounds))
        await connection.receive()
        raise refused(InvalidRequest("On the socket of one job there is nothing to say."))


async def _tell(
    connection: Connection, delivery: Delivery, job_id: JobId, after: Cursor | None, bounds: Bounds
) -> None:
    match await heard_out(connection, delivery, job_id, after, bounds):
        case Bye() as farewell:
            raise dismissed(farewell)
        case Gone():
            raise Closing(NO_SUCH_JOB)
    raise Closing(ENDED)
