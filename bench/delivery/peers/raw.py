"""`python -m bench.delivery.peers.raw PORT SOCKET`: bare asyncio protocols, the most that Python can do."""

import asyncio
import sys
from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

import hiredis
import uvloop

PORT, SOCKET = int(sys.argv[1]), sys.argv[2]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\r\n"
PING_SECONDS, PARTS = 15.0, 64
streams: dict[bytes, set["Stream"]] = defaultdict(set)


class Stream(asyncio.Protocol):
    """A client; the answer ends with the connection, so that nothing needs a length."""

    __slots__ = ("channel", "write")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = transport.write  # type: ignore[attr-defined]
        self.channel = b""

    def data_received(self, data: bytes) -> None:
        if self.channel:
            return
        target = data.split(b" ", 2)[1].decode()
        self.channel = parse_qs(urlsplit(target).query)["id"][0].encode()
        if self.channel not in streams:
            subscriber.subscribe(self.channel)
        streams[self.channel].add(self)
        self.write(HEAD)

    def connection_lost(self, _: Exception | None) -> None:
        streams[self.channel].discard(self)


class Subscriber(asyncio.Protocol):
    """The one connection to the store; what one read brings for a channel becomes one write to each client."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._reader = hiredis.Reader()

    def subscribe(self, channel: bytes) -> None:
        """Hear this channel too."""
        self._transport.write(b"*2\r\n$9\r\nSUBSCRIBE\r\n$%d\r\n%b\r\n" % (len(channel), channel))  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        heard: dict[bytes, list[bytes]] = {}
        while (message := self._reader.gets()) is not False:
            if message[0] == b"message":
                heard.setdefault(message[1], []).append(b"data: %b\n\n" % message[2])
        for channel, frames in heard.items():
            together = frames[0] if len(frames) == 1 else b"".join(frames)
            for stream in streams[channel]:
                stream.write(together)


async def ping() -> None:
    """Spread over the time, so that nobody waits for it."""
    while True:
        everyone = [stream for each in streams.values() for stream in each]
        for part in range(PARTS):
            for stream in everyone[part::PARTS]:
                stream.write(b": ping\n\n")
            await asyncio.sleep(PING_SECONDS / PARTS)


subscriber = Subscriber()


async def main() -> None:
    """Serve for ever."""
    loop = asyncio.get_running_loop()
    await loop.create_unix_connection(lambda: subscriber, SOCKET)
    async with await loop.create_server(Stream, "127.0.0.1", PORT, backlog=2048):
        await ping()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
