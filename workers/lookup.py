"""Where a name leads: asked once for each call, so that what was looked at is what is called."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""A host's addresses, in the order in which they should be tried; OSError or UnicodeError where there are none."""


async def look_up(host: str, port: int) -> list[str]:
    """The addresses that the machine's own resolver has for the host.

    In a thread of its own: a resolver may take longer than its caller waits, and is to hold up neither the threads of
    others nor the end of the process."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            tell(answer.set_exception, error)
        else:
            tell(answer.set_result, list(dict.fromkeys(str(address[0]) for *_, address in found)))

    def tell(how: Callable[..., None], what: object) -> None:
        with suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(lambda: None if answer.done() else how(what))

    threading.Thread(target=ask, daemon=True, name="look-up").start()
    return await answer
