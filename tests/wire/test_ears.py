"""What a WebSocket is told of a job by those who push, when its connection is about to end."""

from functools import partial
from types import SimpleNamespace
from typing import cast

from starlette.websockets import WebSocket

from service.feed import PING_SECONDS
from service.pipe import Pipe
from service.transports.websocket.connection import Connection
from service.transports.websocket.ear import Ear
from service.wire import Wire, extension
from tests.jobs.patience import until
from tests.service.hasty import run_hastily
from tests.service.unreliable import JOB, START, FakeStore, Faults
from tests.wire.pushing import FOR_EVER
from tests.wire.test_delivery import delivering


def test_nothing_is_pushed_once_the_connection_is_being_closed() -> None:
    """Its client may still be fetching what waits, and has been sent the closing frame behind that."""
    run_hastily(_close_while_caught_up())


async def _close_while_caught_up() -> None:
    written: list[bytes] = []
    is_open = True
    pipe = Pipe(written.append, is_open=lambda: is_open, give_up=lambda: None, send_seconds=30)
    scope = {"extensions": extension(Wire(30, lambda: None, pipe=pipe))}
    connection = Connection(cast(WebSocket, SimpleNamespace(scope=scope)), "request", ping_seconds=PING_SECONDS)
    store = FakeStore(0, Faults())

    async with delivering(store) as (delivery, _):
        ear = Ear(delivery, connection, pipe, JOB, FOR_EVER)
        ear.begin(START)
        await until(partial(_caught_up, ear))
        store.write()
        await until(partial(_told, written))
        is_open = False
        store.write()
        await until(partial(_heard, ear, store))
        ear.leave()

    assert len(written) == 1


async def _caught_up(ear: Ear) -> bool:
    return ear.audience is not None


async def _told(written: list[bytes]) -> bool:
    return len(written) > 0


async def _heard(ear: Ear, store: FakeStore) -> bool:
    return ear.tail.end == store.log.newest.cursor
