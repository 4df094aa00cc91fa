"""A WebSocket whose client is given up, over a real pair of sockets."""

import asyncio
import socket

from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from service.guard import GuardedWebSocket
from tests.jobs.patience import until

MORE_THAN_SOCKETS_HOLD = 16 * 1024 * 1024


async def nobody(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """An application that is asked nothing."""


async def test_a_client_that_does_not_even_fetch_its_close_is_dropped() -> None:
    """The connection may be closing already, for another reason, and then waits behind all that was not taken."""
    near, far = socket.socketpair()
    state = ServerState()
    protocol = GuardedWebSocket(Config(nobody), state, {})
    await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, near)
    protocol.transport.write(bytes(MORE_THAN_SOCKETS_HOLD))
    protocol.transport.close()

    protocol._give_up()

    async def dropped() -> bool:
        return protocol not in state.connections

    await until(dropped)
    far.close()
