"""How a WebSocket ends: the code that it is closed with, and what is said before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobs.errors import JobError
from service.feed import Bye
from service.guard import TOO_SLOW

ENDED, RESTARTING, TRY_LATER = 1000, 1012, 1013
MALFORMED, UNAUTHORIZED, NO_SUCH_JOB = 4400, 4401, 4404

__all__ = ["ENDED", "MALFORMED", "NO_SUCH_JOB", "RESTARTING", "TOO_SLOW", "TRY_LATER", "UNAUTHORIZED", "Closing"]

_CODES = {"unauthorized": UNAUTHORIZED, "forbidden": UNAUTHORIZED, "job-not-found": NO_SUCH_JOB}


class Closing(Exception):
    """The server ends the connection with this code, and before with a refusal or a farewell, if it has one."""

    def __init__(self, code: int, *, refusal: JobError | None = None, farewell: Bye | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.refusal = refusal
        self.farewell = farewell


def refused(error: JobError) -> Closing:
    """The end of a connection that the error is the reason for."""
    if error.code in _CODES:
        return Closing(_CODES[error.code], refusal=error)
    return Closing(MALFORMED if error.code.startswith("invalid") else TRY_LATER, refusal=error)


def dismissed(farewell: Bye) -> Closing:
    """The end of a connection that the server chooses; the client may come back with its cursors."""
    return Closing(UNAUTHORIZED if farewell.reason == "unauthorized" else RESTARTING, farewell=farewell)


@asynccontextmanager
async def ending_together() -> AsyncIterator[asyncio.TaskGroup]:
    """Tasks of which the first to fail ends all; what it raised is raised, alone."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
