"""A store behind a connection that fails on cue: before a command, after it, or by silence instead of a reply."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from urllib.parse import urlsplit

from jobs.connection import CALL_SECONDS, Client, connect


class Fault(Enum):
    """What happens to the command that is hit; the connection is never of use again."""

    BEFORE = "the command never reaches the store"
    AFTER = "the store does it, and the connection breaks before the reply"
    SILENCE = "the store does it, and no reply ever comes"
    LIMBO = "the command never reaches the store, and no reply ever comes"


class Proxy:
    """Hands commands to the store one by one, over any number of connections, but for the one that is to be hit."""

    def __init__(self, store_url: str) -> None:
        self._socket = urlsplit(store_url).path
        self._until_hit = 0
        self._fault = Fault.BEFORE
        self.struck = asyncio.Event()

    def hit(self, nth: int, fault: Fault) -> None:
        """Let the fault befall the nth command from now on, counted from 1, and no other."""
        self._until_hit, self._fault = nth, fault
        self.struck.clear()

    @property
    def was_hit(self) -> bool:
        """Whether the fault has befallen a command."""
        return self.struck.is_set()

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        store, forth = await asyncio.open_unix_connection(self._socket)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._hand_over(await _frame(client), store, forth, back):
                pass
        forth.close()
        back.close()

    async def _hand_over(
        self, command: bytes, store: asyncio.StreamReader, forth: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> bool:
        """Whether the connection lives on."""
        fault = self._next_fault()
        if fault in {Fault.BEFORE, Fault.LIMBO}:
            return fault is Fault.LIMBO
        forth.write(command)
        reply = await _frame(store)
        if fault is None:
            back.write(reply)
        return fault is not Fault.AFTER

    def _next_fault(self) -> Fault | None:
        self._until_hit -= 1
        if self._until_hit != 0:
            return None
        self.struck.set()
        return self._fault


@asynccontextmanager
async def faulty_store(store_url: str, *, call_seconds: float = CALL_SECONDS) -> AsyncIterator[tuple[Proxy, Client]]:
    """The proxy, and a client that reaches the store through it alone and calls a longer silence a fault."""
    proxy = Proxy(store_url)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, connect(f"redis://127.0.0.1:{port}/0", call_seconds=call_seconds) as client:
        yield proxy, client


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """One command or reply of the store's protocol (RESP2), as it came."""
    line = await reader.readuntil(b"\r\n")
    size = int(line[1:]) if line[:1] in (b"$", b"*") else -1
    if size < 0:
        return line
    if line[:1] == b"$":
        return line + await reader.readexactly(size + 2)
    return line + b"".join([await _frame(reader) for _ in range(size)])
